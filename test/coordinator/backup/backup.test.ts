import { createECDH, createHmac, randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import type { Credential, Device, Notifications, Task } from '../../../contract/api/api.ts'
import { type HeldAttempt, signedHolderText } from '../../../contract/wire/lease.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded, textWritten, usage } from '../../support/scripted/scripted-lines.ts'
import type { TakenLease } from '../../support/scripted/scripted-runner.ts'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { spawnErrand } from '../../support/systems/command-line.ts'
import { spawnCoordinator, startStaffedCoordinator } from '../../support/systems/coordinator.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { contentsOf, listen } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()
const folder = folderForEach()
const KEY = 'correct horse battery staple'

function errand(args: string[], dataDir: string, env: Record<string, string> = {}) {
  return spawnErrand(args, { cwd: folder.path, env: { ERRAND_DATA_DIR: dataDir, ...env } }).ended
}

const REPO = 'https://github.com/a/b'
const WEBHOOKS = { ERRAND_ALLOW_PRIVATE_WEBHOOKS: 'true' }

/** Takes notices. @returns of which task each was */
async function startHook() {
  const told: string[] = []
  const server = createServer(async (request, response) => {
    const { taskId } = request.url === '/hook' ? JSON.parse(await text(request)) : { taskId: null }
    if (taskId !== null) told.push(taskId)
    response.writeHead(200).end()
  })
  const { url, close } = await listen(server)
  closers.push(close)
  return { url, told }
}

/** A server with one task of every kind, in a data folder that stays. */
async function startWithTasks() {
  const redis = await startRedis()
  closers.push(redis.stop)
  const dataDir = join(folder.path, 'data')
  const staffed = await startStaffedCoordinator({ redisUrl: redis.url, dataDir, environment: WEBHOOKS }, 50)
  closers.push(staffed.runner.close)
  const { coordinator, runner, calls, lease } = staffed
  const hook = await startHook()
  const wanted = { onDone: true, onFailed: true, onAttention: true, webhookUrl: `${hook.url}/hook` }
  await coordinator.ask('/api/me/notifications', wanted, { method: 'PUT' })
  const send = (prompt: string) => coordinator.send({ repoUrl: REPO, prompt, clientId: `c-${prompt}` })
  const finished = await send('finished')
  const taken = await lease(finished.id)
  await runner.deliver(taken, 1, textWritten('said'), usage)
  await calls.keep(taken, 'transcript', 'the conversation')
  await calls.keep(taken, 'patch', 'diff --git a/a b/a\n')
  await runner.deliver(taken, 3, attemptEnded())
  await coordinator.ended(finished.id)
  const running = await send('running')
  const work = await lease(running.id)
  await runner.deliver(work, 1, textWritten('half of it'), usage)
  const cancelled = await send('cancelled')
  await lease(cancelled.id)
  const pending = await send('pending')
  await coordinator.ask(`/api/tasks/${running.id}/messages`, { text: 'wait for me', mode: 'queue', clientId: 'm1' })
  await coordinator.ask('/api/me/credentials', { host: 'github.com', token: 'ghp_secret' }, { method: 'PUT' })
  const { token } = await coordinator.ask<{ token: string }>('/api/me/tokens', { name: 'laptop' })
  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: randomBytes(16).toString('base64url') }
  const body = { endpoint: `${hook.url}/push`, keys }
  expect((await coordinator.api('/api/me/push/subscriptions', { method: 'POST', body, token })).status).toBe(204)
  await coordinator.ask(`/api/tasks/${cancelled.id}/cancel`, {})
  return { ...staffed, hook, redis, dataDir, send, work, token, ids: { finished, running, cancelled, pending } }
}

describe('a backup of a running server', () => {
  it('is whole under load, and restored nothing is lost and nothing runs twice', async () => {
    const server = await startWithTasks()
    const { coordinator, runner, calls, lease, dataDir, hook, ids, work } = server
    const file = join(folder.path, 'errand.backup')

    // Tasks come and events arrive all the time, before, during and after.
    let stopped = false
    let sent = 0
    const load = (async () => {
      for (; !stopped; sent++) {
        // A person may send 120 tasks a minute.
        if (sent % 4 === 0 && sent < 400) await server.send(`load ${sent}`)
        if (sent % 3 === 0) await calls.keep(work, `output.call${sent}`, `output ${sent}`)
        await runner.deliver(work, 3 + sent, textWritten(`line ${sent}`))
      }
    })()
    await waitFor('some load', () => sent > 5)
    const before = sent
    const made = await errand(['backup', file], dataDir, { ERRAND_BACKUP_KEY: KEY })
    expect(made).toMatchObject({
      exit: 0,
      out: '',
      err: expect.stringMatching(/^Backed up the database and \d+ files to .*encrypted\)\.\n$/),
    })
    const during = sent - before
    stopped = true
    await load
    expect(during).toBeGreaterThan(0)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readdir(folder.path)).sort()).toEqual(['data', 'errand.backup'])
    expect((await readFile(file)).includes('SQLite format')).toBe(false)

    // What happens after it is lost: the task that ran ends, is retried, and its second attempt goes on to work.
    await runner.deliver(work, 3 + sent, attemptEnded())
    const queued = await lease(ids.running.id, 2)
    const after = await coordinator.send({ repoUrl: REPO, prompt: 'after it' })
    const begun = await lease(ids.pending.id)
    expect([queued.attempt, begun.attempt]).toEqual([2, 1])
    const me = await coordinator.ask<{ items: Credential[] }>('/api/me/credentials')
    const history = await coordinator.events(ids.finished.id)
    await waitFor('the notice', () => hook.told.includes(ids.finished.id))
    await coordinator.stop()
    hook.told.length = 0

    const restored = join(folder.path, 'restored')
    const wrong = await errand(['restore', file], restored, { ERRAND_BACKUP_KEY: 'a key that is not the one' })
    expect(wrong).toMatchObject({ exit: 2, err: expect.stringContaining('This key does not open the backup') })
    const done = await errand(['restore', file], restored, { ERRAND_BACKUP_KEY: KEY })
    expect(done).toMatchObject({
      exit: 0,
      err: '',
      out: expect.stringMatching(/^Restored the backup of .*: the database and \d+ files\./),
    })
    for (const [name, about] of Object.entries(await contentsOf(restored)))
      expect(`${name} ${about}`).toMatch(name === 'artifacts' ? / 700 / : / 600 /)

    // The same Redis, with the jobs and events that came after the backup, and the same runner with its attempts.
    const again = await startStaffedCoordinator({ redisUrl: server.redis.url, dataDir: restored, environment: WEBHOOKS }, 50)
    closers.push(again.stop)
    const { tasks } = await allTasks(again.coordinator)
    expect(tasks.length).toBeGreaterThanOrEqual(4 + before / 4)
    expect(tasks.some(({ id }) => id === after.id)).toBe(false)
    expect(tasks.filter(({ status }) => status === 'pending' || status === 'running')).toEqual([])
    expect(await again.coordinator.task(ids.finished.id)).toMatchObject({ status: 'completed', usage: { costUsd: 1 } })
    expect(await again.coordinator.events(ids.finished.id)).toEqual(history)
    expect(await again.coordinator.api(`/api/tasks/${ids.finished.id}/diff`)).toMatchObject({ body: 'diff --git a/a b/a\n' })
    expect(await again.coordinator.ask('/api/me/credentials')).toEqual(me)
    expect(await again.coordinator.ask<Notifications>('/api/me/notifications')).toMatchObject({ subscriptions: 1 })
    const devices = await again.coordinator.ask<{ items: Device[] }>('/api/me/devices', undefined, { token: server.token })
    expect(devices.items.length).toBeGreaterThan(0)
    for (const kept of tasks.flatMap(({ id }) => (id === ids.running.id ? [id] : []))) {
      const names = (await readdir(join(restored, 'artifacts'))).filter((name) => name.startsWith(kept))
      expect(names.length).toBeGreaterThan(1)
    }

    // The end that was told is not told again; that these are held is news, once.
    await waitFor('the notices', () => hook.told.includes(ids.pending.id) && hook.told.includes(ids.running.id))
    for (const id of [ids.pending.id, ids.running.id]) expect(hook.told.filter((told) => told === id)).toHaveLength(1)
    expect(hook.told.filter((id) => id === ids.finished.id || id === ids.cancelled.id)).toEqual([])

    // Held, in plain words; the cancel that was accepted holds as well.
    const held = await again.coordinator.task(ids.running.id)
    expect(held).toMatchObject({
      status: 'failed',
      reason: 'restored',
      error: expect.stringContaining('retry the task to run it'),
    })
    expect(held.error).toMatch(/The backup is of 20\d\d-\d\d-\d\d \d\d:\d\d UTC\./)
    expect(await again.coordinator.task(ids.pending.id)).toMatchObject({ status: 'failed', reason: 'restored' })
    expect(await again.coordinator.task(ids.cancelled.id)).toMatchObject({ status: 'cancelled' })
    const ends = (await again.coordinator.events(ids.running.id)).slice(-4).map(({ type }) => type)
    expect(ends).toEqual(['text.written', 'message.withdrawn', 'attempt.ended', 'task.ended'])
    const events = await again.coordinator.events(ids.running.id)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))

    // Nothing of the time that was lost counts, whatever its numbers and keys.
    const renewed = await again.calls.renew([queued, begun, work].map(heldBy))
    expect(renewed.attempts.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'lost'])
    await again.runner.send(queued, 1, textWritten('from a future that is gone'))
    await again.runner.send(begun, 1, textWritten('from a future that is gone'))
    const late = await again.coordinator.send({ repoUrl: REPO, prompt: 'later' })
    const lateLease = await again.lease(late.id)
    await again.runner.deliver(lateLease, 1, attemptEnded())
    expect((await again.coordinator.events(ids.pending.id)).map(({ type }) => type)).not.toContain('text.written')
    expect(JSON.stringify(await again.coordinator.events(ids.running.id))).not.toContain('future')

    // A person says go. The numbers that were given after the backup are not given again.
    await again.coordinator.ask(`/api/tasks/${ids.running.id}/retry`, {})
    const retried = await again.lease(ids.running.id)
    expect(retried.attempt).toBeGreaterThan(queued.attempt + 100)
    expect(retried).toMatchObject({ prompt: expect.stringContaining('running'), turn: 2 })
    const states = await again.calls.renew([queued, retried].map(heldBy))
    expect(states.attempts.map(({ state }) => state)).toEqual(['unknown', 'leased'])
    await again.runner.send(queued, 1, textWritten('from a future that is gone'))
    await again.runner.deliver(retried, 1, attemptEnded())
    await again.coordinator.ended(ids.running.id)
    expect(JSON.stringify(await again.coordinator.events(ids.running.id))).not.toContain('future')
  })

  it('works on a server that stands still or was killed, over standard output, and without a key', async () => {
    const redis = await startRedis()
    closers.push(redis.stop)
    const dataDir = join(folder.path, 'data')
    const server = await spawnCoordinator({ redisUrl: redis.url, dataDir })
    await server.kill()
    const before = await contentsOf(dataDir)
    expect(Object.keys(before)).toContain('errand.db-wal')
    const file = join(folder.path, 'plain.backup')
    const plain = await errand(['backup', file], dataDir)
    expect(plain).toMatchObject({ exit: 0, err: expect.stringMatching(/not encrypted.*\nIt holds the keys of this server/) })
    const after = await contentsOf(dataDir)
    for (const name of ['errand.db', 'errand.db-wal']) expect(after[name]).toBe(before[name])
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort())
    const stopped = await spawnCoordinator({ redisUrl: redis.url, dataDir })
    await stopped.stop()
    expect(await errand(['backup', file], dataDir)).toMatchObject({ exit: 0 })
    const into = join(folder.path, 'into')
    expect(await errand(['restore', file, '--to', into], dataDir)).toMatchObject({ exit: 0 })
    for (const name of ['secret-key', 'owner-token', 'runner-token', 'vapid-keys.json'])
      expect(await readFile(join(into, name))).toEqual(await readFile(join(dataDir, name)))
    const third = await spawnCoordinator({ redisUrl: redis.url, dataDir: into })
    expect(await third.stop()).toBe(0)
  })
})

/** An attempt with the proof of its lease, which is a true one. */
function heldBy({ taskId, attempt, signingKey }: TakenLease): HeldAttempt {
  const proof = createHmac('sha256', Buffer.from(signingKey, 'hex')).update(signedHolderText(taskId, attempt)).digest('hex')
  return { taskId, attempt, proof }
}

async function allTasks(server: { ask: <T>(path: string) => Promise<T> }) {
  const tasks: Task[] = []
  for (let cursor = ''; ; ) {
    const page = await server.ask<{ items: Task[]; nextCursor: string | null }>(`/api/tasks?limit=100${cursor}`)
    tasks.push(...page.items)
    if (page.nextCursor === null) return { tasks }
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}
