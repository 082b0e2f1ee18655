import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Program, programCommand } from '../../../setup/build/program.ts'
import { endProcess, isAlive, killAlive } from '../checks/kill.ts'

/** A process of ours as `npm start` runs it, that a test can kill and start again. */
export type Process = {
  start: () => Promise<void>
  /** SIGKILL. @throws Error unless it was alive */
  kill: () => Promise<void>
  /** Ends it if it is still there. @returns its exit code; null when a signal ended it */
  end: (signal: NodeJS.Signals) => Promise<number | null>
  stop: () => Promise<number | null>
  isAlive: () => boolean
  /** Whether it ended, and all that it logged was read. */
  hasClosed: () => boolean
  log: () => string
  pid: () => number
}

const KEPT_LOG_CHARACTERS = 200_000

/** A process that is not started yet, with this environment alone. */
export function createProcess(program: Program, environment: Record<string, string | undefined>): Process {
  let child: ChildProcess | null = null
  let output = ''
  let closed = true
  return {
    start: async () => {
      const { PATH, HOME, DOCKER_HOST, RUNNER_IMAGE } = process.env
      const { file, args } = await programCommand(process.cwd(), program)
      const started = spawn(file, args, {
        env: { PATH, HOME, DOCKER_HOST, RUNNER_IMAGE, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const keep = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-KEPT_LOG_CHARACTERS)
      }
      started.stdout.on('data', keep)
      started.stderr.on('data', keep)
      // One that was killed may close only after the next was started.
      started.once('close', () => {
        if (child === started) closed = true
      })
      child = started
      closed = false
      await once(started, 'spawn')
    },
    kill: () => killAlive(program, child),
    end: (signal) => endProcess(child, signal),
    // A runner leaves its sandboxes running for the next process, unless it is told that it goes for good.
    stop: () => endProcess(child, program === 'runner' ? 'SIGINT' : 'SIGTERM'),
    isAlive: () => isAlive(child),
    hasClosed: () => closed,
    log: () => output,
    pid: () => child?.pid ?? 0,
  }
}
