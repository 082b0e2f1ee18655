import { stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { keepRunning, type Supervised } from '../../../setup/process/processes.ts'
import { chooseRedis } from '../../../setup/redis/redis.ts'
import { answers, checkRedis, redisFault } from '../../../setup/redis/redis-check.ts'
import { endKeptRedis, prepareRedisFolder, readSettings, redisUrl, settingsText } from '../../../setup/redis/redis-settings.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen, temporaryFolder } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder()
  closers.push(remove)
  return path
}

async function startServer(file: string, url: string): Promise<Supervised> {
  const command = { file: 'redis-server', args: [file, '--dir', dirname(file)] }
  const quiet = { write: () => undefined, started: () => undefined }
  const server = keepRunning({ name: 'redis', command, variables: process.env, folder: '/', ...quiet })
  closers.push(() => server.stop(5_000))
  await waitFor('Redis to answer', () => answers(url))
  return server
}

describe('choosing a Redis', () => {
  const never = () => {
    throw new Error('asked too early')
  }

  it('takes the one that REDIS_URL names, and looks for no other', async () => {
    expect(await chooseRedis({ url: true, server: true, image: never, apt: never })).toBe('given')
  })

  it('prefers a server on PATH to a container, without asking for the image', async () => {
    expect(await chooseRedis({ url: false, server: true, image: never, apt: never })).toBe('server')
  })

  it('then takes a container, then the system packages, then tells what to type', async () => {
    expect(await chooseRedis({ url: false, server: false, image: async () => true, apt: never })).toBe('container')
    expect(await chooseRedis({ url: false, server: false, image: async () => false, apt: () => true })).toBe('install')
    expect(await chooseRedis({ url: false, server: false, image: async () => false, apt: () => false })).toBe('tell')
  })
})

describe('a Redis of our own', () => {
  it('keeps its password and its port from one start to the next', async () => {
    const path = await folder()
    const first = await prepareRedisFolder(path)
    const second = await prepareRedisFolder(path)
    expect(second).toEqual(first)
    expect((await stat(first.file)).mode & 0o777).toBe(0o600)
  })

  it('is ended in order when a killed start left it running, so that the next can start it', async () => {
    const path = await folder()
    const settings = await prepareRedisFolder(path)
    const leftOver = await startServer(settings.file, redisUrl(settings))
    await endKeptRedis(path)
    expect(await prepareRedisFolder(path)).toEqual(settings)
    expect(await leftOver.firstEnd).toMatch(/^redis ended: exit code 0/)
  })

  it('moves to another port when a stranger has taken its own', async () => {
    const path = await folder()
    const stranger = createServer((socket) => socket.end('hello\n', () => socket.destroy()))
    const { port, close } = await listen(stranger)
    closers.push(close)
    await writeFile(join(path, 'redis.conf'), settingsText({ port, password: 'kept' }))
    const settings = await prepareRedisFolder(path)
    expect(settings.port).not.toBe(port)
    expect(settings.password).toBe('kept')
  })

  it('lets nobody in without its password, and passes the check for a Redis of somebody else', async () => {
    const settings = await prepareRedisFolder(await folder())
    await startServer(settings.file, redisUrl(settings))
    expect(await answers(`redis://127.0.0.1:${settings.port}`)).toBe(false)
    await expect(checkRedis(redisUrl(settings))).resolves.toBeUndefined()
    await expect(checkRedis(`redis://127.0.0.1:${settings.port}`)).rejects.toThrow(/REDIS_URL.*NOAUTH/s)
  })
})

describe('what a given Redis must be', () => {
  it('refuses one that is too old, and one that throws keys away', () => {
    expect(redisFault('redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\n')).toBeNull()
    expect(redisFault('redis_version:6.2.0\r\n')).toBeNull()
    expect(redisFault('redis_version:6.0.16\r\n')).toMatch(/6\.0\.16.*6\.2/)
    expect(redisFault('redis_version:7.2.4\r\nmaxmemory_policy:allkeys-lru\r\n')).toMatch(/allkeys-lru.*noeviction/)
  })

  it('names the address, without its password, when nothing answers there', async () => {
    const fault = await checkRedis('redis://:secret@127.0.0.1:1').catch((error: Error) => error.message)
    expect(fault).toMatch(/127\.0\.0\.1:1/)
    expect(fault).not.toMatch(/secret/)
  })

  it('reads back the settings that it wrote, and nothing from another file', () => {
    expect(readSettings(settingsText({ port: 7001, password: 'x1' }))).toEqual({ port: 7001, password: 'x1' })
    expect(readSettings('# port 1\n')).toBeNull()
  })
})
