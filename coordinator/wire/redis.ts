import { Redis } from 'ioredis'
import type { Logger } from 'pino'

export type RedisLinks = {
  /** Commands fail at once while Redis is away: nothing waits for it in memory. */
  commands: Redis
  /** Hears a channel, and hears it again after Redis was away. One hearer a channel. @returns a function that ends it */
  listen: (channel: string, hear: (text: string) => void) => Promise<() => void>
  isReady: () => boolean
  /**
   * Writes a key of a few bytes: a full Redis, a replica, or one whose disk fails still answers everything else.
   * @throws Error when Redis takes no writes
   */
  proveWritable: () => Promise<unknown>
  close: () => void
}

/** A command that takes longer has failed: the server hangs, or the network drops packets. */
const COMMAND_TIMEOUT_MS = 5_000
/** A connection that is silent for so long is broken, whatever the kernel says: it is opened again. */
const SILENT_MS = 10_000

const PROOF_KEY = 'errand:proof'
const PROOF_KEPT_S = 60

/**
 * Opens two connections to Redis and checks that it can do the work.
 * @throws Error with what to do when Redis does not answer, is too old, or may evict keys
 */
export async function connectRedis(url: string, log: Logger): Promise<RedisLinks> {
  const options = {
    lazyConnect: true,
    connectTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_MS,
    retryStrategy: (times: number) => Math.min(times * 50, 1_000),
  }
  const commands = new Redis(url, { ...options, enableOfflineQueue: false, commandTimeout: COMMAND_TIMEOUT_MS })
  const listener = new Redis(url, { ...options, maxRetriesPerRequest: null, autoResubscribe: false })
  const hearers = new Map<string, (text: string) => void>()
  const close = () => {
    commands.removeAllListeners('close')
    commands.disconnect()
    listener.disconnect()
  }
  report(commands, log)
  // The other connection reports the same trouble.
  const onListenerError = (error: unknown) => log.debug({ event: 'redis.listener_error', err: error })
  listener.on('error', onListenerError)
  listener.on('message', (channel: string, text: string) => hearers.get(channel)?.(text))
  // The client library could resubscribe, but nobody would catch its failure: a server that stops in that moment would crash.
  listener.on('ready', () => {
    if (hearers.size > 0) listener.subscribe(...hearers.keys()).catch(onListenerError)
  })
  try {
    await connect(commands, url)
    await checkRedis(commands)
    await connect(listener, url)
  } catch (error) {
    close()
    throw error
  }
  const listen: RedisLinks['listen'] = async (channel, hear) => {
    hearers.set(channel, hear)
    await listener.subscribe(channel)
    return () => void hearers.delete(channel)
  }
  const proveWritable = () => commands.set(PROOF_KEY, '1', 'EX', PROOF_KEPT_S)
  return { commands, listen, isReady: () => commands.status === 'ready', proveWritable, close }
}

async function connect(redis: Redis, url: string): Promise<void> {
  try {
    await redis.connect()
  } catch (cause) {
    const { host } = new URL(url)
    throw new Error(`Redis at ${host} does not answer. Start it, or set REDIS_URL to one that runs.`, { cause })
  }
}

/** BullMQ: noeviction "is the only setting that guarantees the correct behavior" (docs.bullmq.io, Going to production). */
async function checkRedis(redis: Redis): Promise<void> {
  const info = await redis.info()
  const version = /redis_version:(\d+)\.(\d+)/.exec(info)
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)]
  if (major < 6 || (major === 6 && minor < 2))
    throw new Error(`Redis is version ${major}.${minor}; Errand needs 6.2 or newer. Point REDIS_URL to a newer one.`)
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (policy !== undefined && policy !== 'noeviction')
    throw new Error(
      `Redis may evict keys when its memory is full (maxmemory-policy ${policy}). ` +
        'Run: redis-cli config set maxmemory-policy noeviction, and set the same in redis.conf.',
    )
}

/** Logs one line when Redis is lost and one when it is back. The errors of the retries in between tell nothing new. */
function report(redis: Redis, log: Logger): void {
  let state: 'starting' | 'ready' | 'lost' = 'starting'
  redis.on('ready', () => {
    if (state === 'lost') log.info({ event: 'redis.back' })
    state = 'ready'
  })
  redis.on('error', (error) => log.debug({ event: 'redis.error', err: error }))
  redis.on('close', () => {
    if (state !== 'ready') return
    log.warn({ event: 'redis.lost' })
    state = 'lost'
  })
}
