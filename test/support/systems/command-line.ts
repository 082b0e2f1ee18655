import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { runErrand } from '../../../cli/errand.ts'

export type Ran = { exit: number; out: string; err: string }

type Options = {
  env?: Record<string, string>
  stdin?: string | null
  /** What a person types at a terminal, in place of `stdin`. */
  typed?: string
  home?: string
  cwd?: string
  terminal?: { columns: number; rows: number }
}

/** Starts the command line tool in this process, with streams of its own. */
export function startErrand(
  argv: string[],
  { env = {}, stdin = '', typed, home = '/nonexistent', cwd = '/', terminal }: Options = {},
) {
  const interrupt = new AbortController()
  const out = collect()
  const err = collect()
  const input = new PassThrough()
  // Null: somebody sits there and has typed nothing yet.
  if (typed !== undefined) Object.assign(input, { isTTY: true }).write(typed)
  else if (stdin !== null) input.end(stdin)
  const exit = runErrand(argv, {
    stdin: input,
    stdout: Object.assign(out.stream, terminal ? { isTTY: true, ...terminal } : {}),
    stderr: err.stream,
    environment: env,
    home,
    cwd,
    interrupted: interrupt.signal,
  })
  return {
    out: out.text,
    err: err.text,
    interrupt: () => interrupt.abort(),
    ended: exit.then((code): Ran => ({ exit: code, out: out.text(), err: err.text() })),
  }
}

export function errand(argv: string[], options: Options = {}): Promise<Ran> {
  return startErrand(argv, options).ended
}

/** Starts the command line tool as a process of its own, as a person does. Its environment is the given one alone. */
export function spawnErrand(argv: string[], { env = {}, cwd = '/' }: Pick<Options, 'env' | 'cwd'> = {}) {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = collect()
  const err = collect()
  child.stdout.pipe(out.stream)
  child.stderr.pipe(err.stream)
  return {
    out: out.text,
    err: err.text,
    /** Ctrl-C. */
    interrupt: () => child.kill('SIGINT'),
    ended: once(child, 'close').then(([exit]): Ran => ({ exit, out: out.text(), err: err.text() })),
  }
}

const PROGRAM = join(import.meta.dirname, '../../../bin/errand.mjs')

function collect() {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { stream, text: () => text }
}
