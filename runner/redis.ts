import { Redis } from 'ioredis'

export type { Redis }

/** A command that takes longer has failed: a half-open connection would hold it for many minutes. */
const COMMAND_TIMEOUT_MS = 5_000

const retryStrategy = (times: number): number => Math.min(times * 50, 1_000)

/** For commands that fail at once when Redis is away; whoever sends them tries again in its own time. */
export const connectForCommands = (url: string): Redis =>
  new Redis(url, { retryStrategy, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT_MS })

/** For listening: subscribes again by itself whenever Redis comes back. */
export const connectForListening = (url: string): Redis => new Redis(url, { retryStrategy, maxRetriesPerRequest: null })
