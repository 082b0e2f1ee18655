import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Me, Task, TaskPage } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { isEnded } from '../../contract/api/status.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type Compose, openCompose } from './compose.ts'

/** Building two images takes minutes where nothing is cached: better-sqlite3 may have to be compiled. */
const BUILD_MS = 15 * 60_000
const TASK_MS = 240_000
/** Of Redis's container, in docker-compose.yml. */
const REDIS_LIMIT_BYTES = 512 * 1024 * 1024
/** Versions that abort when an object of the database's driver is collected. */
const ABORTING_NODE = /^v24\.(19|20|21)\./

let compose: Compose
let token = ''

async function api<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${compose.url}/api${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

function ended(run: Promise<string>): Promise<string> {
  return run.catch((fault: Error) => fault.message)
}

beforeAll(async () => {
  compose = await openCompose()
  await compose.run('build')
  await compose.up('--scale', 'runner=2')
  await waitFor('the coordinator to be ready', async () => (await fetch(`${compose.url}/readyz`)).ok, 60_000)
  token = (await compose.run('exec', '-T', 'coordinator', 'cat', '/data/owner-token')).trim()
}, BUILD_MS)

afterAll(() => compose?.down())

describe('docker compose up, with no .env and two runners', () => {
  it('ends demo tasks, and both runners have a part in them', async () => {
    const { demoRepoUrl } = await api<Me>('/me')
    const sent: Task[] = []
    for (let count = 0; count < 8; count++)
      sent.push(await api<Task>('/tasks', { repoUrl: demoRepoUrl, prompt: 'Fix the failing test.' }))
    const ended = await waitFor(
      'every task to end',
      async () => {
        const { items: tasks } = await api<TaskPage>('/tasks')
        return tasks.every(({ status }) => isEnded(status)) ? tasks : null
      },
      TASK_MS,
    )
    expect(ended.map(({ status, error }) => ({ status, error }))).toEqual(sent.map(() => ({ status: 'completed', error: null })))
    const events = await Promise.all(sent.map(({ id }) => api<{ events: TaskEvent[] }>(`/tasks/${id}/events`)))
    const runners = events
      .flatMap((page) => page.events)
      .flatMap((event) => (event.type === 'attempt.started' ? [event.data.runner] : []))
    expect([...new Set(runners)].sort()).toEqual(['runner-1', 'runner-2'])
  })

  it("gives a runner the runners' token, and neither the database nor a key", async () => {
    const inside = await compose.run('exec', '-T', 'runner', 'sh', '-c', 'env; ls /token; test ! -e /data && echo no data')
    expect(inside).toMatch(/runner-token/)
    expect(inside).toMatch(/no data/)
    expect(inside).not.toMatch(/SECRET_KEY|ANTHROPIC|GITHUB|owner-token/)
  })

  it('signs its owner in by a link of the command line tool', async () => {
    const link = (await compose.run('exec', '-T', 'coordinator', 'node', 'bin/errand.mjs', 'link')).trim()
    const { pathname, search } = new URL(link)
    const code = new URLSearchParams(search)
    const signedIn = await fetch(compose.url + pathname, {
      method: 'POST',
      body: code,
      headers: { origin: compose.url },
      redirect: 'manual',
    })
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/'])
  })

  it('shows Redis to nobody outside', async () => {
    const ports = await compose.run('ps')
    expect(ports).not.toMatch(/->6379/)
  })

  it('has a Redis that is full before its container is, and refuses then', async () => {
    const ask = async (setting: string) =>
      (await compose.run('exec', '-T', 'redis', 'redis-cli', 'config', 'get', setting)).trim().split('\n').at(-1)?.trim()
    expect(Number(await ask('maxmemory'))).toBeGreaterThan(0)
    expect(Number(await ask('maxmemory'))).toBeLessThan(REDIS_LIMIT_BYTES)
    expect(await ask('maxmemory-policy')).toBe('noeviction')
  })

  it('aborts on no database that the collector takes, as its Node would without what keeps them', async () => {
    const program = await readFile(join(import.meta.dirname, 'collect-databases.mjs'), 'utf8')
    const inCoordinator = (...args: string[]) => compose.run('exec', '-T', 'coordinator', 'node', ...args)
    expect(await inCoordinator('--input-type=module', '-e', program)).toMatch(/^collected [1-9]/)
    const version = await inCoordinator('--version')
    const unguarded = inCoordinator('--input-type=module', '-e', program, 'unguarded')
    if (ABORTING_NODE.test(version)) await expect(unguarded).rejects.toThrow(/RemoveEnvironmentCleanupHook/)
    else
      console.warn(
        `Node ${version} is not known to abort, so nothing shows what keeps the databases. It ended: ${await ended(unguarded)}`,
      )
  })

  it('had none of its services die on the way', async () => {
    expect([...(await compose.restarts('coordinator')), ...(await compose.restarts('runner'))]).toEqual([0, 0, 0])
  })
})
