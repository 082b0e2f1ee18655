import { Redis } from 'ioredis'

const OLDEST = [6, 2]

/**
 * Checks that a Redis is new enough and never evicts: what it holds is unfinished work.
 * @returns null, or what is wrong and what to do
 */
export function redisFault(info: string): string | null {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const version = field('redis_version')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return `it has version ${version || 'unknown'}, and Errand needs ${OLDEST.join('.')} or newer`
  const policy = field('maxmemory_policy')
  if (policy && policy !== 'noeviction')
    return `its maxmemory-policy is ${policy}, so it may discard work. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction`
  return null
}

/**
 * Checks a Redis that somebody else runs.
 * @throws Error that says what is wrong and what to do
 */
export async function checkRedis(url: string): Promise<void> {
  const info = await withRedis(url, (redis) => redis.info()).catch((error: unknown) => {
    throw new Error(
      `Redis at ${withoutPassword(url)} (REDIS_URL) does not answer: ${error instanceof Error ? error.message : error}\n` +
        'Start it, correct REDIS_URL, or remove REDIS_URL: then Errand runs its own Redis.',
    )
  })
  const fault = redisFault(info)
  if (fault) throw new Error(`Redis at ${withoutPassword(url)} (REDIS_URL) cannot be used: ${fault}.`)
}

export function answers(url: string): Promise<boolean> {
  return withRedis(url, async (redis) => (await redis.ping()) === 'PONG').catch(() => false)
}

/** Shuts down a Redis cleanly: it saves its data first. Its answer is the closed connection. */
export function shutDown(url: string): Promise<void> {
  return withRedis(url, async (redis) => void (await redis.shutdown().catch(() => undefined)))
}

/** Bounds the wait for a Redis that accepts the connection and then stays silent. */
const ANSWER_MS = 20_000

async function withRedis<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    commandTimeout: ANSWER_MS,
  })
  let cause: Error | null = null
  redis.on('error', (error) => {
    cause = error
  })
  try {
    await redis.connect()
    return await ask(redis)
  } catch (error) {
    throw cause ?? error
  } finally {
    // On a closed connection, it would only leave a timer behind.
    if (redis.status !== 'end') redis.disconnect()
  }
}

export function withoutPassword(url: string): string {
  const parsed = new URL(url)
  parsed.password = parsed.password && '***'
  return parsed.href
}
