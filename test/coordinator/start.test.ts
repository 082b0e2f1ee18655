import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { waitFor } from '../support/checks/wait.ts'
import { startTcpProxy } from '../support/outside/tcp-proxy.ts'
import { connectSocket } from '../support/systems/client.ts'
import { folderForEach } from '../support/systems/closing.ts'
import { startCoordinator, startStaffedCoordinator } from '../support/systems/coordinator.ts'
import { startRedis, type TestRedis } from '../support/systems/redis.ts'
import { freePort, listen } from '../support/systems/temporary.ts'

const folder = folderForEach()
let redis: TestRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** A way to Redis on which each connection has INFO answered twice: once to the client library, once to the coordinator's own check. */
async function startGrudgingRedis(port: number) {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    let asked = 0
    near.on('data', (bytes) => {
      if (/\binfo\r\n/i.test(String(bytes)) && ++asked > 2) near.write('-ERR not now\r\n')
      else far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const)
      end.on('error', () => undefined).on('close', () => other.destroy())
  })
  const { port: own, close } = await listen(server)
  return { url: `redis://127.0.0.1:${own}`, stop: close }
}

describe('starting', () => {
  it('fails when Redis does at the opening of the queue, which would stay closed', async () => {
    const grudging = await startGrudgingRedis(redis.port)
    await expect(startCoordinator({ redisUrl: grudging.url, dataDir: folder.path })).rejects.toThrow(
      'Redis failed while the queue was being opened',
    )
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    await coordinator.stop()
    await grudging.stop()
  })

  it('says what to do when Redis does not answer, and lets go of the database', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`
    for (let i = 0; i < 2; i++)
      await expect(startCoordinator({ redisUrl: nowhere, dataDir: folder.path })).rejects.toThrow(/Redis at 127.*REDIS_URL/)
  })

  it('says what to do when Redis may throw keys away', async () => {
    const admin = new Redis(redis.url)
    try {
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await expect(startCoordinator({ redisUrl: redis.url })).rejects.toThrow(/allkeys-lru.*noeviction/)
    } finally {
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
      admin.disconnect()
    }
  })

  it('says what to do when the port is taken, and opens nothing', async () => {
    const first = await startCoordinator({ redisUrl: redis.url })
    const environment = { ERRAND_PORT: String(first.config.port) }
    const second = startCoordinator({ redisUrl: redis.url, dataDir: folder.path, environment })
    try {
      await expect(second).rejects.toThrow(/Cannot listen on 127.0.0.1:\d+. Stop what uses it/)
      expect(await readdir(folder.path)).toEqual([])
    } finally {
      await first.stop()
    }
  })
})

describe('a started coordinator', () => {
  it('stops within seconds, although a phone has left its network without a word', async () => {
    const proxy = await startTcpProxy()
    const coordinator = await startCoordinator({ redisUrl: redis.url })
    proxy.leadTo(coordinator.url)
    const phone = connectSocket(proxy.url, { auth: { token: coordinator.ownerToken } })
    try {
      await waitFor('the phone to be connected', () => phone.connected)
      proxy.freeze()
      const since = performance.now()
      await coordinator.stop()
      // Left alone, a WebSocket waits for half a minute.
      expect(performance.now() - since).toBeLessThan(15_000)
    } finally {
      phone.disconnect()
      await proxy.stop()
    }
  })

  it('takes a demo task from HTTP to a lease with the demo’s secrets, none of which reach Redis', async () => {
    const staffed = await startStaffedCoordinator({ redisUrl: redis.url })
    const { coordinator } = staffed
    const { id } = await coordinator.send({ repoUrl: coordinator.demoRepoUrl, prompt: 'Hello' })
    const { access, repoUrl, signingKey } = await staffed.lease(id)
    const { repo, modelApi } = access
    expect(repoUrl).toBe(coordinator.demoRepoUrl)
    expect(repo).toMatchObject({
      upstream: '/demo/git/hello.git',
      token: expect.any(String),
    })
    expect(modelApi).toMatchObject({ baseUrl: '/demo/model', key: expect.any(String) })

    const link = new Redis(redis.url)
    const dump: string[] = []
    for (const key of await link.keys('*')) dump.push((await link.dumpBuffer(key))?.toString('latin1') ?? '')
    link.disconnect()
    for (const secret of [repo.token, modelApi.key, signingKey]) expect(dump.join()).not.toContain(secret)

    const metrics = await (await fetch(`${coordinator.url}/metrics`)).text()
    expect(metrics).toContain('errand_tasks{status="running"} 1')
    expect(metrics).toContain('errand_runner_slots 2')
    expect(await (await fetch(`${coordinator.url}/readyz`)).json()).toMatchObject({ store: true, redis: true })
    await staffed.stop()
  })

  it('hands a user’s own git token and the real model key to the lease', async () => {
    const environment = {
      ANTHROPIC_API_KEY: 'sk-real',
      ANTHROPIC_BASE_URL: 'https://model.example',
      ERRAND_GIT_HOSTS: 'https://git.example:8443',
    }
    const staffed = await startStaffedCoordinator({ redisUrl: redis.url, environment })
    const { coordinator } = staffed
    const credential = { host: 'git.example:8443', username: 'ada', token: 'git-token' }
    await coordinator.ask('/api/me/credentials', credential, { method: 'PUT' })
    const { id } = await coordinator.send({ repoUrl: 'https://git.example:8443/a/b', prompt: 'Go' })
    expect((await staffed.lease(id)).access).toMatchObject({
      repo: { upstream: 'https://git.example:8443/a/b', username: 'ada', token: 'git-token' },
      modelApi: { baseUrl: 'https://model.example', key: 'sk-real' },
    })
    await staffed.stop()
  })

  it('clears away what a killed server was just taking, and no more', async () => {
    const kept = join(folder.path, 'artifacts')
    await mkdir(kept, { recursive: true })
    for (const name of [`${randomUUID()}.part`, 'tsk_a-1.patch', 'tsk_a-1.output.part']) await writeFile(join(kept, name), 'x')
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    expect((await readdir(kept)).sort()).toEqual(['tsk_a-1.output.part', 'tsk_a-1.patch'])
    await coordinator.stop()
  })

  it('stops in order while clients hang on, and keeps its keys for its owner alone', async () => {
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    const socket = connectSocket(coordinator.url, { auth: { token: coordinator.ownerToken }, reconnection: false })
    await waitFor('a connection', () => socket.connected)
    await coordinator.stop()
    await waitFor('the end of the connection', () => !socket.connected)
    await expect(fetch(`${coordinator.url}/healthz`)).rejects.toThrow()
    for (const name of ['secret-key', 'owner-token', 'runner-token', 'errand.db'])
      expect((await stat(join(folder.path, name))).mode & 0o777).toBe(0o600)
    const again = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    expect(again.ownerToken).toBe(coordinator.ownerToken)
    expect((await readFile(join(folder.path, 'runner-token'), 'utf8')).trim()).toBe(again.runnerToken)
    await again.stop()
  })
})
