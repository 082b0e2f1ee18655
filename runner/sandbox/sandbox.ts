/** The port between an attempt and the engine that runs its sandbox. `docker.ts` is the real one. */

export type SandboxSpec = {
  taskId: string
  attempt: number
  /** Directory of the host with the gateway's socket. */
  doorDirectory: string
  /** The only secret inside; it is revoked when the attempt ends. */
  token: string
}

export type SandboxEnd = {
  exitCode: number
  /** The kernel killed a process for lack of memory; the agent itself may have survived. */
  outOfMemory: boolean
  /** The last bytes of its standard error, for the log and the message of a crash. */
  errorTail: string
}

/** One line of standard output. `end`: how many bytes are read with it. `text`: null for a dropped line, longer than the bound. */
export type OutputLine = { text: string | null; end: number }

export type Sandbox = {
  /** The output from the first line until the sandbox ends. Read it once. */
  lines: AsyncIterable<OutputLine>
  /** Starts the hands again, after they were killed. @throws EngineFault */
  startHands: () => Promise<void>
  /** @throws EngineFault when the engine loses track of it, or it does not end after a stop */
  wait: () => Promise<SandboxEnd>
  /** Asks it to end (SIGTERM), and kills it after `graceMs`; 0 kills at once. Safe when it is gone already. */
  stop: (graceMs: number) => Promise<void>
  /** Stops following it: `lines` end, and `wait` throws. It runs on, for a later process of this runner to find. */
  letGo: () => void
  /** Kills and removes it. Safe when it is gone already. */
  remove: () => Promise<void>
}

/** A sandbox that an earlier process of this runner started. */
export type FoundSandbox = Pick<SandboxSpec, 'taskId' | 'attempt' | 'doorDirectory' | 'token'> & {
  /** False: its start was never finished. */
  wasStarted: boolean
  /** Follows it from its first line of output. */
  follow: () => Sandbox
  remove: () => Promise<void>
}

export type SandboxEngine = {
  /** @throws EngineFault when no sandbox could start now */
  check: () => Promise<void>
  /** @throws EngineFault */
  start: (spec: SandboxSpec) => Promise<Sandbox>
  /** Every sandbox of this runner, running or ended. @throws EngineFault */
  find: () => Promise<FoundSandbox[]>
  /** Removes this runner's sandboxes whose attempt is not running. @returns how many. @throws EngineFault */
  removeLeftovers: (isRunning: (taskId: string, attempt: number) => boolean) => Promise<number>
}

/** The host's fault, not the task's: the attempt is interrupted and tried again. */
export class EngineFault extends Error {
  readonly reason: 'engine_unavailable' | 'image_missing' | 'host_disk_full'
  constructor(reason: EngineFault['reason'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EngineFault'
    this.reason = reason
  }
}
