import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { havingImage } from '../docker/docker-images.ts'
import { aptCommand, aptInstall, canApt } from '../machine/apt.mjs'
import { findTool } from '../machine/tools.ts'
import type { Command } from '../process/processes.ts'
import { checkRedis, withoutPassword } from './redis-check.ts'
import { prepareRedisFolder, type RedisSettings, redisUrl } from './redis-settings.ts'

const SERVERS = ['valkey-server', 'redis-server'] as const
const REDIS_IMAGE = 'redis:7-bookworm'
const LOG = 'redis.log'

/** A Redis to use: one that somebody else runs, or the command that starts our own. */
export type RedisChoice = Readonly<{ url: string; label: string; command: Command | null }>

export type RedisWay = 'given' | 'server' | 'container' | 'install' | 'tell'

/** Tried in this order. An unknown Redis on the default port is never used: it holds somebody else's data. */
export async function chooseRedis(have: {
  url: boolean
  server: boolean
  image: () => Promise<boolean>
  apt: () => boolean
}): Promise<RedisWay> {
  if (have.url) return 'given'
  if (have.server) return 'server'
  if (await have.image()) return 'container'
  return have.apt() ? 'install' : 'tell'
}

/**
 * @param redisUrlGiven REDIS_URL
 * @throws Error with the command to type if there is none and none can be installed
 */
export async function findRedis(redisUrlGiven: string | null, dataDir: string): Promise<RedisChoice> {
  const server = findTool(SERVERS)
  const way = await chooseRedis({
    url: redisUrlGiven !== null,
    server: server !== null,
    image: () => havingImage(REDIS_IMAGE),
    apt: canApt,
  })
  if (way === 'given' && redisUrlGiven) {
    await checkRedis(redisUrlGiven)
    return { url: redisUrlGiven, label: `Redis at ${withoutPassword(redisUrlGiven)} (REDIS_URL)`, command: null }
  }
  if (way === 'tell') throw new Error(noRedis())
  if (way === 'install') await installRedis()
  const settings = await prepareRedisFolder(join(dataDir, 'redis'))
  if (way === 'container')
    return { url: redisUrl(settings), label: `own Redis (${REDIS_IMAGE})`, command: containerCommand(settings) }
  const binary = server ?? findTool(SERVERS)
  if (!binary) throw new Error(noRedis())
  return { url: redisUrl(settings), label: `own Redis (${binary})`, command: serverCommand(binary, settings) }
}

async function installRedis(): Promise<void> {
  console.log('Redis is not installed. (If the package starts a service on port 6379, Errand does not use it.)')
  await aptInstall(['redis-server'])
}

function serverCommand(binary: string, { file, folder }: RedisSettings): Command {
  return {
    file: binary,
    args: [file, '--dir', folder, '--logfile', join(folder, LOG)],
    log: join(folder, LOG),
  }
}

/** In the foreground, so that we see its end and get its log. */
function containerCommand({ folder, port }: RedisSettings): Command {
  const name = `errand-redis-${port}`
  // A container that a killed start left behind would block the name.
  spawnSync('docker', ['rm', '--force', name], { stdio: 'ignore' })
  const user = process.getuid ? ['--user', `${process.getuid()}:${process.getgid?.() ?? 0}`] : []
  const place = ['--publish', `127.0.0.1:${port}:${port}`, '--volume', `${folder}:/data`]
  const server = ['redis-server', '/data/redis.conf', '--bind', '0.0.0.0', '--dir', '/data', '--logfile', `/data/${LOG}`]
  return {
    file: 'docker',
    args: ['run', '--rm', '--name', name, ...user, ...place, REDIS_IMAGE, ...server],
    log: join(folder, LOG),
  }
}

function noRedis(): string {
  return [
    'Errand needs Redis (6.2 or newer) or Valkey, and found neither.',
    `  Debian, Ubuntu:  ${aptCommand(['redis-server'])}`,
    '  Fedora:          sudo dnf install -y valkey',
    '  macOS:           brew install valkey',
    'Then start again. Or set REDIS_URL to a Redis that you already run.',
  ].join('\n')
}
