/** The port between an attempt and whatever runs its sandbox. `docker.ts` is the real one. */

export type SandboxSpec = {
  taskId: string
  attempt: number
  /** Directory of the host that holds the gateway's socket. */
  doorDirectory: string
  /** The only secret inside; it dies with the attempt. */
  token: string
}

export type SandboxEnd = {
  exitCode: number
  /** The kernel killed something for memory; the agent itself may have lived on. */
  outOfMemory: boolean
  /** The last of its standard error, for the log and the message of a crash. */
  errorTail: string
}

export type Sandbox = {
  /** Lines of standard output, from the first; ends with the sandbox. Null: a line over the bound, dropped. Read it once. */
  lines: AsyncIterable<string | null>
  /** @throws EngineFault when the engine loses sight of it, or it does not end after it was told to */
  wait: () => Promise<SandboxEnd>
  /** Asks it to end (SIGTERM), and kills it after `graceMs`; 0 kills at once. Fine when it is gone already. */
  stop: (graceMs: number) => Promise<void>
  /** Kills and removes it. Fine when it is gone already. */
  remove: () => Promise<void>
}

export type SandboxEngine = {
  /** @throws EngineFault when a sandbox could not be started now */
  check: () => Promise<void>
  /** @throws EngineFault */
  start: (spec: SandboxSpec) => Promise<Sandbox>
  /** Removes sandboxes of this runner that are no attempt's under way. @returns how many. @throws EngineFault */
  removeLeftovers: (isUnderWay: (taskId: string, attempt: number) => boolean) => Promise<number>
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
