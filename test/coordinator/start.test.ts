import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { io } from 'socket.io-client'
import { waitFor } from '../support/checks/wait.ts'
import { startTcpProxy } from '../support/outside/tcp-proxy.ts'
import { createScriptedRunner, runnerCalls } from '../support/scripted/scripted-runner.ts'
import { startCoordinator, type TestCoordinator } from '../support/systems/coordinator.ts'
import { startRedis, type TestRedis } from '../support/systems/redis.ts'
import { freePort, temporaryFolder } from '../support/systems/temporary.ts'

let redis: TestRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

function post(coordinator: TestCoordinator, path: string, body: unknown) {
  return fetch(coordinator.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${coordinator.ownerToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

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
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((done) => server.close(done)),
  }
}

describe('starting', () => {
  it('fails when Redis does at the opening of the queue, which would stay closed', async () => {
    const folder = await temporaryFolder()
    const grudging = await startGrudgingRedis(redis.port)
    await expect(startCoordinator({ redisUrl: grudging.url, dataDir: folder.path })).rejects.toThrow(
      'Redis failed while the queue was being opened',
    )
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    await coordinator.stop()
    await grudging.stop()
    await folder.remove()
  })

  it('says what to do when Redis does not answer, and lets go of the database', async () => {
    const folder = await temporaryFolder()
    const nowhere = `redis://127.0.0.1:${await freePort()}`
    for (let i = 0; i < 2; i++)
      await expect(startCoordinator({ redisUrl: nowhere, dataDir: folder.path })).rejects.toThrow(/Redis at 127.*REDIS_URL/)
    await folder.remove()
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
    const folder = await temporaryFolder()
    const first = await startCoordinator({ redisUrl: redis.url })
    const environment = { ERRAND_PORT: String(first.config.port) }
    const second = startCoordinator({ redisUrl: redis.url, dataDir: folder.path, environment })
    try {
      await expect(second).rejects.toThrow(/Cannot listen on 127.0.0.1:\d+. Stop what uses it/)
      expect(await readdir(folder.path)).toEqual([])
    } finally {
      await first.stop()
      await folder.remove()
    }
  })
})

describe('a started coordinator', () => {
  it('stops within seconds, although a phone has left its network without a word', async () => {
    const proxy = await startTcpProxy()
    const coordinator = await startCoordinator({ redisUrl: redis.url })
    proxy.leadTo(coordinator.url)
    const phone = io(proxy.url, { auth: { token: coordinator.ownerToken }, transports: ['websocket'], forceNew: true })
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
    const coordinator = await startCoordinator({ redisUrl: redis.url })
    const runner = await createScriptedRunner(redis.url)
    const response = await post(coordinator, '/api/tasks', { repoUrl: `${coordinator.url}/demo/git/hello.git`, prompt: 'Hello' })
    const { id } = (await response.json()) as { id: string }
    const answer = await runnerCalls(coordinator.url, coordinator.runnerToken).lease(await runner.job(id))
    if (!answer.granted) throw new Error(answer.refusal)
    const { access, repoUrl, signingKey } = answer.lease
    const { repo, modelApi } = access
    expect(repoUrl).toBe(`${coordinator.url}/demo/git/hello.git`)
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
    await runner.close()
    await coordinator.stop()
  })

  it('hands a user’s own git token and the real model key to the lease', async () => {
    const environment = {
      ANTHROPIC_API_KEY: 'sk-real',
      ANTHROPIC_BASE_URL: 'https://model.example',
      ERRAND_GIT_HOSTS: 'https://git.example:8443',
    }
    const coordinator = await startCoordinator({ redisUrl: redis.url, environment })
    const runner = await createScriptedRunner(redis.url)
    await fetch(`${coordinator.url}/api/me/credentials`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${coordinator.ownerToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ host: 'git.example:8443', username: 'ada', token: 'git-token' }),
    })
    const { id } = (await (
      await post(coordinator, '/api/tasks', { repoUrl: 'https://git.example:8443/a/b', prompt: 'Go' })
    ).json()) as { id: string }
    const answer = await runnerCalls(coordinator.url, coordinator.runnerToken).lease(await runner.job(id))
    expect(answer).toMatchObject({
      granted: true,
      lease: {
        access: {
          repo: { upstream: 'https://git.example:8443/a/b', username: 'ada', token: 'git-token' },
          modelApi: { baseUrl: 'https://model.example', key: 'sk-real' },
        },
      },
    })
    await runner.close()
    await coordinator.stop()
  })

  it('clears away what a killed server was just taking, and no more', async () => {
    const folder = await temporaryFolder()
    const kept = join(folder.path, 'artifacts')
    await mkdir(kept, { recursive: true })
    for (const name of [`${randomUUID()}.part`, 'tsk_a-1.patch', 'tsk_a-1.output.part']) await writeFile(join(kept, name), 'x')
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    expect((await readdir(kept)).sort()).toEqual(['tsk_a-1.output.part', 'tsk_a-1.patch'])
    await coordinator.stop()
    await folder.remove()
  })

  it('stops in order while clients hang on, and keeps its keys for its owner alone', async () => {
    const folder = await temporaryFolder()
    const coordinator = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    const socket = io(coordinator.url, {
      transports: ['websocket'],
      auth: { token: coordinator.ownerToken },
      reconnection: false,
    })
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
    await folder.remove()
  })
})
