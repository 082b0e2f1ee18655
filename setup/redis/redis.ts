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

/** A Redis to use: one that somebody else runs, or what to start for one of our own. */
export type RedisChoice = Readonly<{ url: string; said: string; command: Command | null }>

export type RedisWay = 'given' | 'server' | 'container' | 'install' | 'tell'

/** In this order. An unknown Redis on the usual port is never used: somebody else's data is in it. */
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
 * @throws Error with the command to type when there is none and none can be had
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
    return { url: redisUrlGiven, said: `Redis at ${withoutPassword(redisUrlGiven)} (REDIS_URL)`, command: null }
  }
  if (way === 'tell') throw new Error(noRedis())
  if (way === 'install') await installRedis()
  const settings = await prepareRedisFolder(join(dataDir, 'redis'))
  if (way === 'container')
    return { url: redisUrl(settings), said: `Redis of its own (${REDIS_IMAGE})`, command: containerCommand(settings) }
  const binary = server ?? findTool(SERVERS)
  if (!binary) throw new Error(noRedis())
  return { url: redisUrl(settings), said: `Redis of its own (${binary})`, command: serverCommand(binary, settings) }
}

async function installRedis(): Promise<void> {
  console.log('No Redis is here. (The service that the package may start by itself, on port 6379, is not used.)')
  await aptInstall(['redis-server'])
}

function serverCommand(binary: string, { file, folder }: RedisSettings): Command {
  return {
    file: binary,
    args: [file, '--dir', folder, '--logfile', join(folder, LOG)],
    log: join(folder, LOG),
  }
}

/** In the foreground, so that its end is seen and its log comes along. */
function containerCommand({ folder, port }: RedisSettings): Command {
  const name = `errand-redis-${port}`
  // One that a killed start left behind would hold the name.
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
    'Errand needs a Redis (6.2 or newer) or a Valkey, and found none.',
    `  Debian, Ubuntu:  ${aptCommand(['redis-server'])}`,
    '  Fedora:          sudo dnf install -y valkey',
    '  macOS:           brew install valkey',
    'Then start again. Or set REDIS_URL to one that you run already.',
  ].join('\n')
}
