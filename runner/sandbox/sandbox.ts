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

export type Sandbox = {
  /** Lines of standard output, from the first until the sandbox ends. Null: a dropped line, longer than the bound. Read it once. */
  lines: AsyncIterable<string | null>
  /** Starts the hands again, after they were killed. @throws EngineFault */
  startHands: () => Promise<void>
  /** @throws EngineFault when the engine loses track of it, or it does not end after a stop */
  wait: () => Promise<SandboxEnd>
  /** Asks it to end (SIGTERM), and kills it after `graceMs`; 0 kills at once. Safe when it is gone already. */
  stop: (graceMs: number) => Promise<void>
  /** Kills and removes it. Safe when it is gone already. */
  remove: () => Promise<void>
}

export type SandboxEngine = {
  /** @throws EngineFault when no sandbox could start now */
  check: () => Promise<void>
  /** @throws EngineFault */
  start: (spec: SandboxSpec) => Promise<Sandbox>
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
