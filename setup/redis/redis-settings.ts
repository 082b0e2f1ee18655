import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, isFree } from '../process/free-port.ts'
import { answers, shutDown } from './redis-check.ts'

export type RedisSettings = Readonly<{ folder: string; file: string; port: number; password: string }>

/**
 * Writes the configuration of Errand's own Redis next to its data, with the same port and password at every start.
 * Only the owner can read the file: the password keeps other users of this machine out.
 */
export async function prepareRedisFolder(folder: string): Promise<RedisSettings> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'redis.conf')
  const kept = await keptSettings(folder)
  const port = kept && (await isFree('127.0.0.1', kept.port)) ? kept.port : await freePort()
  const settings = { folder, file, port, password: kept?.password ?? randomBytes(24).toString('hex') }
  await writeFile(file, settingsText(settings), { mode: 0o600 })
  return settings
}

/** Shuts down a Redis that a killed start left in a container, where no process of it can be found. */
export async function endKeptRedis(folder: string): Promise<void> {
  const kept = await keptSettings(folder)
  if (kept && (await answers(redisUrl(kept)))) await shutDown(redisUrl(kept))
}

async function keptSettings(folder: string) {
  return readSettings(await readFile(join(folder, 'redis.conf'), 'utf8').catch(() => ''))
}

export function redisUrl({ port, password }: Pick<RedisSettings, 'port' | 'password'>): string {
  return `redis://:${password}@127.0.0.1:${port}`
}

export function settingsText({ port, password }: Pick<RedisSettings, 'port' | 'password'>): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    'loglevel warning',
    '',
  ].join('\n')
}

export function readSettings(text: string): { port: number; password: string } | null {
  const port = /^port (\d+)$/m.exec(text)?.[1]
  const password = /^requirepass (\S+)$/m.exec(text)?.[1]
  return port && password ? { port: Number(port), password } : null
}
