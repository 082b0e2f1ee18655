import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, readConfig } from '../../coordinator/process/config.ts'
import type { Surroundings } from '../server/context.ts'

/** The server to examine, as its settings describe it. It may run or not. */
export type Patient = {
  config: Config
  environment: Record<string, string | undefined>
  /** Errand's own folder. */
  home: string
  /** Whether Docker Compose runs it: then this is the coordinator's container, without an engine. */
  inCompose: boolean
  /** Where it answers on this machine. */
  localUrl: string
  /** Null: `npm start` starts one when it runs, and none runs now. */
  redisUrl: string | null
}

/** Reads the settings as `npm start` does. @throws Error that names every wrong variable and its fault */
export function readPatient({ environment, home }: Pick<Surroundings, 'environment' | 'home'>): Patient {
  const dataDir = resolve(home, environment.ERRAND_DATA_DIR || '.errand')
  const database = environment.DATABASE_URL && {
    DATABASE_URL: `file:${resolve(home, environment.DATABASE_URL.replace(/^file:/, ''))}`,
  }
  const backups = environment.ERRAND_BACKUP_DIR && { ERRAND_BACKUP_DIR: resolve(home, environment.ERRAND_BACKUP_DIR) }
  const config = readConfig({ ...environment, ERRAND_DATA_DIR: dataDir, ...database, ...backups })
  return {
    config,
    environment,
    home,
    inCompose: Boolean(environment.ERRAND_LISTEN) && !existsSync(join(home, 'setup')),
    localUrl: localUrl(config),
    redisUrl: environment.REDIS_URL || ownRedis(dataDir),
  }
}

/** A running `npm start` says where it is; it may have chosen the port. */
function localUrl({ dataDir, host, port }: Config): string {
  try {
    const { url } = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8')) as { url?: unknown }
    if (typeof url === 'string') return url
  } catch {
    // No server runs that `npm start` started.
  }
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** The Redis that `npm start` runs beside the data, if it runs. */
function ownRedis(dataDir: string): string | null {
  if (!existsSync(join(dataDir, 'server.json'))) return null
  try {
    const text = readFileSync(join(dataDir, 'redis', 'redis.conf'), 'utf8')
    const [port, password] = [/^port (\d+)$/m.exec(text)?.[1], /^requirepass (\S+)$/m.exec(text)?.[1]]
    return port && password ? `redis://:${password}@127.0.0.1:${port}` : null
  } catch {
    return null
  }
}
