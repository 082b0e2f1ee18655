import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, readFile } from 'node:fs/promises'
import { endGroup } from '../../process/processes.ts'
import { cleaned } from '../output.ts'
import { readEnds } from '../read-ends.ts'
import { showOutput } from '../show-output.ts'
import type { OnOutput } from '../tool.ts'
import type { Spill } from './spills.ts'

export type Shell = {
  directory: string
  environment: Readonly<Record<string, string>>
  spill: Spill
  /** `pipe`: something may be written to it later. */
  input: 'ignore' | 'pipe'
}
export type Limits = { timeoutMs: number; maxSpillBytes: number; graceMs: number }
/** Why the command was ended from outside. */
export type Cause = 'timeout' | 'spill' | 'abort'

export type Ran = {
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

/** The grace when the turn is over, which is short. */
const LAST_GRACE_MS = 1000
/** How often the size of the output is checked. */
const LOOK_EVERY_MS = 20
/** An output up to this size is read whole; of a longer one, the two ends. */
const WHOLE_BYTES = 512 * 1024

/**
 * Runs a command to its end. Its output goes into a file and not a pipe, and it ends when its shell does: a process that it leaves behind and
 * that inherited the output does not delay it.
 * @throws NodeJS.ErrnoException when no shell could be started
 */
export async function runShell(shell: Shell, limits: Limits, signal: AbortSignal, onOutput?: OnOutput): Promise<Ran> {
  const { spill } = shell
  const started = performance.now()
  const child = startShell(shell)
  const guard = guardShell(child, spill.file, limits, signal)
  const stopShowing = onOutput && showOutput(spill.file, onOutput)
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    await guard.settled()
    const { size } = await spill.file.stat()
    const output = cleaned(await readEnds(spill.file, size, WHOLE_BYTES)).trimEnd()
    const directory = await carriedDirectory(spill.cwdPath)
    const seconds = (performance.now() - started) / 1000
    return { code, killedBy, cause: guard.cause(), output, bytes: size, seconds, directory }
  } finally {
    guard.stop()
    stopShowing?.()
  }
}

/**
 * The command comes from a file: on the command line it would be bounded, and a command that ends processes by a word in it (`pkill -f`) would
 * end its own shell.
 */
export function startShell({ directory, environment, spill, input }: Shell): ChildProcess {
  const { file, commandPath, cwdPath } = spill
  // bash takes a socket as its input, which Node's pipes are, for a remote login and would read the user's start-up file.
  return spawn('bash', ['--norc', '-c', PRELUDE, 'bash', commandPath, cwdPath], {
    cwd: directory,
    env: environment,
    // A group of its own, so that everything it started can be ended with it.
    detached: true,
    stdio: [input, file.fd, file.fd],
  })
}

/** When memory runs out, the kernel kills a command first. The shell notes its directory however the command ends. */
const PRELUDE = 'echo 900 2>/dev/null > /proc/self/oom_score_adj; trap \'pwd -P > "$2"\' EXIT; eval "$(<"$1")"'

export type Guard = {
  /** The first reason to end the command; null while there is none. */
  cause: () => Cause | null
  /** Resolves when the command's processes have ended, if they had to be ended. */
  settled: () => Promise<void>
  stop: () => void
}

/** Ends the command at a limit, or when the turn is over. */
export function guardShell(child: ChildProcess, file: FileHandle, limits: Limits, signal: AbortSignal): Guard {
  const { timeoutMs, maxSpillBytes, graceMs } = limits
  let cause: Cause | null = null
  let ended: Promise<void> = Promise.resolve()
  const end = (why: Cause, grace: number) => {
    if (cause || !child.pid) return
    cause = why
    ended = endGroup(child.pid, grace)
  }
  const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => end('timeout', graceMs), timeoutMs)
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

async function carriedDirectory(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trimEnd() || null
  } catch {
    // The shell was killed, or the command replaced the trap: the directory stays the same.
    return null
  }
}
