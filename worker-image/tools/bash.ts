import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises'
import { endGroup } from '../process/processes.ts'
import { bounded, cleaned, MODEL_OUTPUT_CHARS } from './output.ts'
import { readEnds } from './read-ends.ts'
import { showOutput } from './show-output.ts'
import { type OnOutput, refused, type Tool, type ToolResult } from './tool.ts'

type Input = { command: string; description?: string; timeout_ms?: number }

export type BashOptions = {
  /** Where the first command starts; later ones start where the last one ended. */
  directory: string
  environment: Readonly<Record<string, string>>
  scratch: string
  /** How much output of one command is kept, bytes; a command that writes more is ended. */
  maxSpillBytes?: number
  /** Between TERM and KILL. */
  graceMs?: number
}

/** After how long a command is ended, milliseconds: without `timeout_ms`, and at the latest. */
export const COMMAND_TIMEOUTS = { defaultMs: 120_000, maxMs: 600_000 } as const
const MAX_SPILL_BYTES = 32 * 1024 * 1024
const GRACE_MS = 2000
/** The same when the turn is over, which is shorter. */
const LAST_GRACE_MS = 1000
/** How often the size of the output is checked. */
const LOOK_EVERY_MS = 20
/** An output up to this size is read whole; of a longer one, the two ends. */
const WHOLE_BYTES = 512 * 1024

/**
 * A fresh shell for each command. Its output goes into a file and not a pipe, and the call ends when the shell does: a background process
 * that inherited the output does not delay it.
 */
export function createBash(options: BashOptions): Tool<Input> {
  const { environment, scratch, maxSpillBytes = MAX_SPILL_BYTES, graceMs = GRACE_MS } = options
  let directory = options.directory
  let count = 0
  const run = async ({ command, timeout_ms }: Input, signal: AbortSignal, onOutput?: OnOutput): Promise<ToolResult> => {
    const timeoutMs = Math.min(Math.max(1000, timeout_ms ?? COMMAND_TIMEOUTS.defaultMs), COMMAND_TIMEOUTS.maxMs)
    await mkdir(scratch, { recursive: true })
    count += 1
    const spill = `${scratch}/${count}.log`
    const file = await open(spill, 'a+')
    const limits = { timeoutMs, maxSpillBytes, graceMs }
    const stopShowing = onOutput && showOutput(file, onOutput)
    try {
      const ran = await runShell(
        { command, directory, environment, file, cwdFile: `${scratch}/cwd-${randomUUID()}` },
        limits,
        signal,
      )
      const result = resultOf(ran, limits, spill, directory)
      directory = ran.directory ?? directory
      return result
    } catch (error) {
      const gone = directory
      directory = options.directory
      return refused(spawnProblem(error as NodeJS.ErrnoException, gone, directory))
    } finally {
      stopShowing?.()
      await file.close()
    }
  }
  return { ...DESCRIPTION, run }
}

type Shell = {
  command: string
  directory: string
  environment: Readonly<Record<string, string>>
  /** The file for the output. */
  file: FileHandle
  /** The file in which the shell notes its directory when it ends. */
  cwdFile: string
}
type Limits = { timeoutMs: number; maxSpillBytes: number; graceMs: number }
/** Why the command was ended from outside. */
type Cause = 'timeout' | 'spill' | 'abort'

type Ran = {
  code: number | null
  killedBy: NodeJS.Signals | null
  cause: Cause | null
  /** The output, clean; of a very long one its two ends. */
  output: string
  bytes: number
  seconds: number
  /** The shell's last directory; null if unknown. */
  directory: string | null
}

async function runShell(shell: Shell, limits: Limits, signal: AbortSignal): Promise<Ran> {
  const { command, directory, environment, file, cwdFile } = shell
  const started = performance.now()
  const child = spawn('bash', ['-c', PRELUDE, 'bash', command, cwdFile], {
    cwd: directory,
    env: environment,
    // A group of its own, so that everything it started can be ended with it.
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
  })
  const guard = guardShell(child, file, limits, signal)
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    await guard.settled()
    const { size } = await file.stat()
    const output = cleaned(await readEnds(file, size, WHOLE_BYTES)).trimEnd()
    const carried = await carriedDirectory(cwdFile)
    const seconds = (performance.now() - started) / 1000
    return { code, killedBy, cause: guard.cause(), output, bytes: size, seconds, directory: carried }
  } finally {
    guard.stop()
  }
}

type Guard = {
  /** The first reason to end the command; null while there is none. */
  cause: () => Cause | null
  /** Resolves when the command's processes have ended, if they had to be ended. */
  settled: () => Promise<void>
  stop: () => void
}

/** Ends the command at a limit, or when the turn is over. */
function guardShell(child: ChildProcess, file: FileHandle, limits: Limits, signal: AbortSignal): Guard {
  const { timeoutMs, maxSpillBytes, graceMs } = limits
  let cause: Cause | null = null
  let ended: Promise<void> = Promise.resolve()
  const end = (why: Cause, grace: number) => {
    if (cause || !child.pid) return
    cause = why
    ended = endGroup(child.pid, grace)
  }
  const timer = setTimeout(() => end('timeout', graceMs), timeoutMs)
  const onAbort = () => end('abort', Math.min(graceMs, LAST_GRACE_MS))
  signal.addEventListener('abort', onAbort, { once: true })
  const watch = setInterval(() => {
    file.stat().then(
      ({ size }) => size > maxSpillBytes && end('spill', 0),
      () => clearInterval(watch),
    )
  }, LOOK_EVERY_MS)
  return {
    cause: () => cause,
    settled: () => ended,
    stop: () => {
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

/** Pure. The model gets a heading above the output; people get the facts as fields, and the plain output. */
function resultOf(ran: Ran, limits: Limits, spill: string, before: string): ToolResult {
  const { code, killedBy, cause, output, bytes, seconds, directory } = ran
  const heading = [
    `exit_code: ${code ?? `killed by ${killedBy}`}`,
    `wall_time: ${seconds.toFixed(1)} s`,
    ...(directory && directory !== before ? [`cwd is now: ${directory}`] : []),
    ...(cause ? [adviceOn(cause, limits)] : []),
  ].join('\n')
  const note = noteOn(cause, limits)
  return {
    ok: cause === null,
    text: `${heading}\n${bounded(output, MODEL_OUTPUT_CHARS - heading.length, spill) || '(no output)'}`,
    output,
    cutOff: cause === 'abort',
    ...(note === null ? {} : { note }),
    exitCode: code,
    outputBytes: bytes,
    wholeFile: spill,
  }
}

/** For the model. */
function adviceOn(cause: Cause, { timeoutMs, maxSpillBytes }: Limits): string {
  switch (cause) {
    case 'timeout':
      return `timed out after ${timeoutMs} ms and was ended; give a larger timeout_ms, narrow it down, or run it in the background`
    case 'spill':
      return `ended: it wrote more than ${maxSpillBytes} bytes; narrow it down, or send its output to a file`
    case 'abort':
      return 'ended: the turn is over'
  }
}

/** For people, who see from `cutOff` that the turn was over. */
function noteOn(cause: Cause | null, { timeoutMs, maxSpillBytes }: Limits): string | null {
  if (cause === 'timeout') return `Timed out after ${Math.round(timeoutMs / 1000)} s.`
  return cause === 'spill' ? `Ended: it wrote more than ${Math.round(maxSpillBytes / 1024 ** 2)} MB.` : null
}

/** When memory runs out, the kernel kills a command before the agent. The shell notes its directory however the command ends. */
const PRELUDE = 'echo 900 2>/dev/null > /proc/self/oom_score_adj; trap \'pwd -P > "$2"\' EXIT; eval "$1"'

const DESCRIPTION: Omit<Tool<Input>, 'run'> = {
  name: 'bash',
  description: [
    'Runs a command in a fresh bash shell and returns its exit code and output (standard output and error together).',
    'The working directory carries over to the next call; variables and functions do not. Standard input is empty.',
    'A long output is shown in part, its beginning and its end; the file that is named in between has all of it.',
    'To keep something running, put it in the background with its output in a file: `server > server.log 2>&1 &`.',
    'Search with `rg`. There is no internet; packages come from the configured registries.',
  ].join(' '),
  schema: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The command; it may have several lines.' },
      description: { type: 'string', description: 'What it is for, in 5 to 10 words.' },
      timeout_ms: {
        type: 'number',
        description: `Milliseconds after which the command is ended; default ${COMMAND_TIMEOUTS.defaultMs}, at most ${COMMAND_TIMEOUTS.maxMs}. Give an install 300000.`,
      },
    },
    required: ['command'],
    additionalProperties: false,
  },
  title: ({ command, description }) => description || (command.trim().split('\n')[0] ?? ''),
}

function spawnProblem(error: NodeJS.ErrnoException, gone: string, directory: string): string {
  if (error.code === 'E2BIG') return 'The command is too long for a shell; write it to a file with the write tool and run that.'
  if (error.code === 'ENOENT')
    return `The command was not started: the working directory ${gone} is gone. The next one starts in ${directory}.`
  return `The command was not started: ${error.message}`
}

async function carriedDirectory(file: string): Promise<string | null> {
  try {
    const directory = (await readFile(file, 'utf8')).trimEnd()
    await rm(file)
    return directory || null
  } catch {
    // The shell was killed, or the command replaced the trap: the directory stays the same.
    return null
  }
}
