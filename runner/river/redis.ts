import { Redis } from 'ioredis'

export type { Redis }

/** A command that takes longer has failed: a half-open connection would hold it for many minutes. */
const COMMAND_TIMEOUT_MS = 5_000

/** A connection on which nothing answers for so long is broken, whatever the kernel says: it is made anew. */
const SILENT_MS = 10_000
const PING_EVERY_MS = 5_000

function retryStrategy(times: number): number {
  return Math.min(times * 50, 1_000)
}

/** For commands that fail at once when Redis is away; whoever sends them tries again in its own time. */
export function connectForCommands(url: string): Redis {
  return new Redis(url, {
    retryStrategy,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_MS,
  })
}

type Listening = { url: string; channel: string; onError: (error: unknown) => void; pingEveryMs?: number; silentMs?: number }

/**
 * Hears `channel`, again also whenever Redis comes back. Who only listens never learns that a firewall forgot the connection, and
 * would wait for acknowledgements forever; so it asks now and then.
 */
export function connectForListening(options: Listening): Redis {
  const { url, channel, onError, pingEveryMs = PING_EVERY_MS, silentMs = SILENT_MS } = options
  const redis = new Redis(url, { retryStrategy, maxRetriesPerRequest: null, socketTimeout: silentMs, autoResubscribe: false })
  redis.on('error', onError)
  // Not left to the client library: nobody catches its own subscribing again, and a runner that stops in that moment would crash.
  redis.on('ready', () => void redis.subscribe(channel).catch(onError))
  const ping = () => {
    // What a broken connection answers is told by its error event.
    if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }
  const timer = setInterval(ping, pingEveryMs).unref()
  redis.once('end', () => clearInterval(timer))
  return redis
}
