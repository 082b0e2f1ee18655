import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type Command = Readonly<{
  file: string
  args: readonly string[]
  /** The file it logs to; without one, its output is shown. */
  log?: string
  /** Whether Ctrl-C reaches its processes only through it. */
  ownGroup?: boolean
}>

export type Supervised = Readonly<{
  pid: () => number | null
  /** Resolves with a message when the process first ends without being asked to. */
  firstEnd: Promise<string>
  /** Sends `signal`, and SIGKILL after `graceMs` or when `force` aborts. The process is not restarted. */
  stop: (graceMs: number, force?: AbortSignal, signal?: NodeJS.Signals) => Promise<void>
}>

type Options = {
  name: string
  command: Command
  variables: Readonly<Record<string, string | undefined>>
  folder: string
  write: (line: string) => void
  /** Called after every start, including the first. */
  started: () => void
}

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
/** After a run of this length, the delays start over. */
const STEADY_MS = 60_000

/** @param failures consecutive failures, including this one */
export function restartDelayMs(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS)
}

/**
 * Runs a process, shows its output, and restarts it whenever it dies. Each process leads its own process group: Ctrl-C at the terminal
 * reaches only us, and we stop the processes one after another.
 */
export function keepRunning(options: Options): Supervised {
  let child: ChildProcess | null = null
  let timer: NodeJS.Timeout | null = null
  let stopping = false
  let failures = 0
  let reportFirstEnd: (what: string) => void = () => undefined
  const firstEnd = new Promise<string>((resolve) => {
    reportFirstEnd = resolve
  })

  const start = () => {
    const since = performance.now()
    const running = spawnProcess(options)
    child = running
    running.once('close', (code, signal) => ended(running, describeEnd(code, signal), since))
    running.once('error', (error) => ended(running, error.message, since))
    if (running.pid) options.started()
  }
  const ended = (which: ChildProcess, how: string, since: number) => {
    if (child !== which) return
    child = null
    if (stopping) return
    failures = performance.now() - since > STEADY_MS ? 1 : failures + 1
    const delayMs = restartDelayMs(failures)
    options.write(`ended (${how}); restarting in ${delayMs / 1000} s`)
    reportFirstEnd(`${options.name} ended: ${how}. Its output is ${options.command.log ? `in ${options.command.log}` : 'above'}.`)
    timer = setTimeout(start, delayMs)
  }

  start()
  return {
    pid: () => child?.pid ?? null,
    firstEnd,
    stop: async (graceMs, force, signal = 'SIGTERM') => {
      stopping = true
      if (timer) clearTimeout(timer)
      if (child) await endProcess(child, { graceMs, force, signal })
    },
  }
}

function spawnProcess({ command, variables, folder, write }: Options): ChildProcess {
  const child = spawn(command.file, command.args, {
    cwd: folder,
    env: { ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', write)
  return child
}

type Ending = { graceMs: number; force: AbortSignal | undefined; signal: NodeJS.Signals }

async function endProcess(child: ChildProcess, { graceMs, force, signal }: Ending): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  const kill = () => child.kill('SIGKILL')
  const timer = setTimeout(kill, graceMs)
  force?.addEventListener('abort', kill)
  child.kill(force?.aborted ? 'SIGKILL' : signal)
  await closed
  clearTimeout(timer)
  force?.removeEventListener('abort', kill)
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `by ${signal}` : `exit code ${code}`
}

/** Runs a program that owns the terminal. @returns its exit code, 1 if a signal ended it */
export async function runToEnd(command: Command, variables: Options['variables'], folder: string): Promise<number> {
  const { ownGroup = false } = command
  const child = spawn(command.file, command.args, { cwd: folder, env: { ...variables }, stdio: 'inherit', detached: ownGroup })
  const pass = (signal: NodeJS.Signals) => child.kill(signal)
  // Otherwise Ctrl-C reaches the program directly. We must not die before it.
  const interrupt = ownGroup ? pass : () => undefined
  process.on('SIGTERM', pass).on('SIGINT', interrupt)
  const [code] = await once(child, 'close')
  process.off('SIGTERM', pass).off('SIGINT', interrupt)
  return typeof code === 'number' ? code : 1
}

/** The command that runs a TypeScript file with this Node: directly if Node strips types, otherwise through tsx. */
export function nodeCommand(file: string, ...args: string[]): Command {
  return {
    file: process.execPath,
    args: [...(stripsTypes() ? [] : ['--import', 'tsx']), file, ...args],
  }
}

/** Whether this Node runs TypeScript as it is: 22.18 and newer. */
export function stripsTypes(): boolean {
  return 'typescript' in process.features && Boolean(process.features.typescript)
}
