import { Redis } from 'ioredis'

export type { Redis }

/** A command that takes longer has failed: on a half-open connection it would wait for many minutes. */
const COMMAND_TIMEOUT_MS = 5_000

/** A connection on which nothing answers for this long is broken and is reopened, whatever the kernel says. */
const SILENT_MS = 10_000
const PING_EVERY_MS = 5_000

function retryStrategy(times: number): number {
  return Math.min(times * 50, 1_000)
}

/** For commands that fail at once when Redis is away; their sender tries again in its own time. */
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
 * Listens to `channel`, and again whenever Redis comes back. A listener alone never learns that a firewall forgot its connection, and would
 * wait for acknowledgements forever; so this one sends a ping now and then.
 */
export function connectForListening(options: Listening): Redis {
  const { url, channel, onError, pingEveryMs = PING_EVERY_MS, silentMs = SILENT_MS } = options
  const redis = new Redis(url, { retryStrategy, maxRetriesPerRequest: null, socketTimeout: silentMs, autoResubscribe: false })
  redis.on('error', onError)
  // The client library's own resubscribing has an error that nobody catches: a runner that stops in that moment would crash.
  redis.on('ready', () => void redis.subscribe(channel).catch(onError))
  const ping = () => {
    // The error event reports a broken connection.
    if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }
  const timer = setInterval(ping, pingEveryMs).unref()
  redis.once('end', () => clearInterval(timer))
  return redis
}
