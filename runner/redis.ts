import { Redis } from 'ioredis'

export type { Redis }

/** A command that takes longer has failed: a half-open connection would hold it for many minutes. */
const COMMAND_TIMEOUT_MS = 5_000

/** A connection on which nothing answers for so long is broken, whatever the kernel says: it is made anew. */
const SILENT_MS = 10_000
const PING_EVERY_MS = 5_000

const retryStrategy = (times: number): number => Math.min(times * 50, 1_000)

/** For commands that fail at once when Redis is away; whoever sends them tries again in its own time. */
export const connectForCommands = (url: string): Redis =>
  new Redis(url, {
    retryStrategy,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_MS,
  })

/**
 * For listening: subscribes again by itself whenever Redis comes back. Who only listens never learns that a firewall forgot the
 * connection, and would wait for acknowledgements forever; so it asks now and then.
 */
export const connectForListening = (url: string, { pingEveryMs = PING_EVERY_MS, silentMs = SILENT_MS } = {}): Redis => {
  const redis = new Redis(url, { retryStrategy, maxRetriesPerRequest: null, socketTimeout: silentMs })
  const ping = () => {
    // What a broken connection answers is told by its error event.
    if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }
  const timer = setInterval(ping, pingEveryMs).unref()
  redis.once('end', () => clearInterval(timer))
  return redis
}
