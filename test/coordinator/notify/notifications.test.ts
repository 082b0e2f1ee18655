import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { pino } from 'pino'
import type { Notifications } from '../../../contract/api/api.ts'
import type { Reason } from '../../../contract/api/reason.ts'
import { createPresence } from '../../../coordinator/live/serve-socket.ts'
import { type NotifierParts, openNotifier } from '../../../coordinator/notify/notifier.ts'
import { createOutside } from '../../../coordinator/notify/outside.ts'
import { createWebPush } from '../../../coordinator/notify/web-push.ts'
import { listSubscriptions, putNotifications, putSubscription } from '../../../coordinator/store/accounts/notifications.ts'
import { upsertOwner } from '../../../coordinator/store/accounts/users.ts'
import { appendEvents } from '../../../coordinator/store/events.ts'
import { createLedger } from '../../../coordinator/store/ledger.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { findTask, moveTask } from '../../../coordinator/store/tasks.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type PushService, startPushService } from '../../support/outside/push-service.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const PUBLIC_URL = 'https://errand.example'
const ALL: Notifications = { onDone: true, onFailed: true, onAttention: true, webhookUrl: null }

/** Store, ledger and notifier as `start.ts` joins them, for one user with tasks that end when the test says so. */
async function startPlace(given: Partial<NotifierParts> = {}) {
  const folder = await temporaryFolder()
  const db = await openDatabase(join(folder.path, 'errand.db'))
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const webPush = await createWebPush({ dataDir: folder.path, publicUrl: PUBLIC_URL })
  const presence = createPresence()
  const outside = createOutside(true)
  const parts = { db, log, webPush, presence, outside, publicUrl: PUBLIC_URL, pausesMs: [10, 10], ...given }
  const notifier = openNotifier(parts)
  const ledger = createLedger(db, notifier.audience)
  const user = await upsertOwner(db)
  return {
    ...{ db, webPush, presence, user, notifier },
    /** Another one on the same store; the ledger goes on speaking to the first as well. */
    startAgain: (other: Partial<NotifierParts>) => openNotifier({ ...parts, ...other }),
    facts: (event: string) => lines.map((line) => JSON.parse(line)).filter((fact) => fact.event === event),
    log: () => lines.join(''),
    addTask: async (id: string, prompt: string, status = 'running', reason: Reason | null = null) => {
      await sql`insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, reason, turn, attempt, last_seq, created_at)
        values (${id}, ${user.id}, 'https://github.com/o/n', 'b', ${prompt}, 'm', 5, 0, ${status}, ${reason}, 1, 1, 0, 1)`.execute(
        db,
      )
    },
    end: (id: string, status: 'completed' | 'failed' | 'cancelled', reason: Reason) =>
      ledger.write(async (tx, record) => {
        const task = await findTask(tx, id)
        if (!task) throw new Error('no such task')
        const moved = await moveTask(tx, task, status, 'attempt', { reason }, Date.now())
        const data = { turn: 1, status, reason, message: 'const secret = 1', branch: null }
        const [events, ended] = await appendEvents(tx, moved, [
          { event: { type: 'task.ended', data }, attempt: 0, n: null, at: Date.now() },
        ])
        record(ended, events)
      }),
    stop: async () => {
      await notifier.stop()
      await db.destroy()
      await folder.remove()
    },
  }
}

type Place = Awaited<ReturnType<typeof startPlace>>

let service: PushService
let place: Place
beforeAll(async () => {
  service = await startPushService()
})
afterAll(() => service.stop())
beforeEach(async () => {
  place = await startPlace()
})
afterEach(() => place.stop())

async function subscribe(): Promise<string> {
  const { subscription, hash } = await service.subscribe(place.webPush.publicKey)
  await putSubscription(place.db, place.user.id, 'device', subscription)
  return hash
}

describe('a push message', () => {
  it('says that a turn is done: its title, plain words, and the way there', async () => {
    const [phone, desk] = [await subscribe(), await subscribe()]
    await place.addTask('tsk_done', 'Fix the failing test\n\nconst password = "x"')
    await place.end('tsk_done', 'completed', 'done')
    const notice = {
      title: 'Fix the failing test',
      body: 'Completed.',
      taskId: 'tsk_done',
      url: `${PUBLIC_URL}/task/tsk_done`,
    }
    for (const hash of [phone, desk]) {
      await waitFor('the message', async () => (await service.received(hash)).length > 0)
      expect(await service.received(hash)).toEqual([notice])
    }
    expect(place.log()).not.toContain(phone)
  })

  it('comes for what its user wants to hear of, and never for what they stopped themselves', async () => {
    const hash = await subscribe()
    const cases = [
      ['completed', 'done', { ...ALL, onDone: false }, false],
      ['failed', 'stuck', { ...ALL, onFailed: false }, false],
      ['failed', 'budget_exceeded', { ...ALL, onFailed: false }, true],
      ['failed', 'budget_exceeded', { ...ALL, onAttention: false }, true],
      ['failed', 'stuck', { ...ALL, onDone: false, onAttention: false }, true],
    ] as const
    for (const [index, [status, reason, wanted, told]] of cases.entries()) {
      const id = `tsk_case${index}`
      await putNotifications(place.db, place.user.id, wanted)
      await place.addTask(id, id)
      await place.end(id, status, reason)
      const fact = await waitFor('a decision', () =>
        [...place.facts('notification.sent'), ...place.facts('notification.suppressed')].find(({ taskId }) => taskId === id),
      )
      expect([id, fact.event]).toEqual([id, told ? 'notification.sent' : 'notification.suppressed'])
    }
    await place.addTask('tsk_stopped', 'stop')
    await place.end('tsk_stopped', 'cancelled', 'cancelled_by_user')
    await place.notifier.stop()
    const told = (await service.received(hash)) as { taskId: string }[]
    expect(told.map(({ taskId }) => taskId)).toEqual(['tsk_case2', 'tsk_case3', 'tsk_case4'])
  })

  it('stays away while its user has that very task in front, and comes again when they look elsewhere', async () => {
    const hash = await subscribe()
    const { presence, user } = place
    const looks = [
      [{ active: true, taskId: 'tsk_look0' }, user.id, false],
      [{ active: false, taskId: 'tsk_look1' }, user.id, true],
      [{ active: true, taskId: 'tsk_other' }, user.id, true],
      [{ active: true, taskId: 'tsk_look3' }, 'somebody else', true],
    ] as const
    for (const [index, [state, userId, told]] of looks.entries()) {
      const id = `tsk_look${index}`
      presence.set('socket', userId, state)
      await place.addTask(id, id)
      await place.end(id, 'completed', 'done')
      const event = told ? 'notification.sent' : 'notification.suppressed'
      await waitFor(`${event} of ${id}`, () => place.facts(event).find(({ taskId }) => taskId === id))
    }
    presence.set('socket', user.id, { active: true, taskId: 'tsk_gone' })
    presence.forget('socket')
    expect(presence.isInFront(user.id, 'tsk_gone')).toBe(false)
    expect(await service.received(hash)).toHaveLength(3)
  })

  it('to a browser that is gone ends its subscription, and the others still get theirs', async () => {
    const [gone, phone] = [await subscribe(), await subscribe()]
    await service.expire(gone)
    await place.addTask('tsk_gone', 'gone')
    await place.end('tsk_gone', 'completed', 'done')
    const left = await waitFor('one subscription to be left', async () => {
      const list = await listSubscriptions(place.db, place.user.id)
      return list.length === 1 && list
    })
    expect(left[0]?.endpoint).toContain(phone)
    await waitFor('the message', async () => (await service.received(phone)).length === 1)
  })

  it.each([
    ['the store does not take the note that it was told', 'update of told_turn on tasks', 'notification.error'],
    ['a browser that is gone cannot be forgotten', 'delete on push_subscriptions', 'notification.not_forgotten'],
  ])('comes once though %s', async (_what, change, event) => {
    const [gone, phone] = [await subscribe(), await subscribe()]
    await service.expire(gone)
    // What looks again and again is the second one.
    await place.notifier.stop()
    const next = place.startAgain({ longWaitMs: 120 })
    await sql`create trigger refuse before ${sql.raw(change)} begin select raise(abort, 'of the test'); end`.execute(place.db)
    await place.addTask('tsk_once', 'once')
    await place.end('tsk_once', 'completed', 'done')
    const told = async () => (await findTask(place.db, 'tsk_once'))?.told_turn === 1
    await waitFor('the trouble to be over, or to have come again', async () => (await told()) || place.facts(event).length > 2)
    await sql`drop trigger refuse`.execute(place.db)
    await waitFor('the note', told)
    await next.stop()
    expect(await service.received(phone)).toHaveLength(1)
    expect(place.facts(event).length).toBeGreaterThan(0)
  })

  it('reaches the other devices, once, when the keys of one are no keys', async () => {
    const phone = await subscribe()
    const { subscription } = await service.subscribe(place.webPush.publicKey)
    await putSubscription(place.db, place.user.id, 'other', { ...subscription, keys: { p256dh: 'none', auth: 'none' } })
    await place.addTask('tsk_keys', 'keys')
    await place.end('tsk_keys', 'completed', 'done')
    await waitFor('the note', async () => (await findTask(place.db, 'tsk_keys'))?.told_turn === 1)
    expect(await service.received(phone)).toHaveLength(1)
  })
})

describe('a webhook', () => {
  type Call = { headers: IncomingHttpHeaders; body: string }
  const startHook = async (answers: number[]) => {
    const calls: Call[] = []
    const server = createServer(async (request, response) => {
      calls.push({ headers: request.headers, body: await text(request) })
      response.writeHead(answers[calls.length - 1] ?? 200, { location: '/elsewhere' }).end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/topic`
    await putNotifications(place.db, place.user.id, { ...ALL, webhookUrl: url })
    const stop = () => new Promise((done) => server.close(done))
    return { calls, url, stop }
  }

  it('gets JSON, with headers that have ntfy make a notification of it', async () => {
    const hook = await startHook([200])
    await place.addTask('tsk_hook', 'Grüße 👋 an alle')
    await place.end('tsk_hook', 'failed', 'push_refused')
    await waitFor('the call', () => hook.calls.length === 1)
    expect(JSON.parse(hook.calls[0]?.body ?? '')).toEqual({
      title: 'Grüße 👋 an alle',
      body: expect.stringContaining('The git host refused the push.'),
      taskId: 'tsk_hook',
      url: `${PUBLIC_URL}/task/tsk_hook`,
    })
    expect(hook.calls[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-template': 'yes',
      'x-title': '{{.title}}',
      'x-message': '{{.body}}',
      'x-click': `${PUBLIC_URL}/task/tsk_hook`,
    })
    await hook.stop()
  })

  it.each([
    ['a fault that may pass is tried again', [503, 429, 200], 3, 1],
    ['after three times it is left', [500, 500, 500, 200], 3, 0],
    ['a refusal is not tried again', [403, 200], 1, 0],
    ['a redirect is not followed', [302, 200], 1, 0],
  ])('%s', async (_name, answers, calls, sent) => {
    const hook = await startHook(answers)
    await place.addTask('tsk_again', 'again')
    await place.end('tsk_again', 'completed', 'done')
    await waitFor(
      'the last try',
      () => place.facts('notification.failed').length + place.facts('notification.sent').length === calls,
    )
    await place.notifier.stop()
    expect([hook.calls.length, place.facts('notification.sent').length]).toEqual([calls, sent])
    expect(place.log()).not.toContain('/topic')
    await hook.stop()
  })

  it('that a stop kept from being called is called after the next start, and then no more', async () => {
    const hook = await startHook([200, 200])
    await place.addTask('tsk_late', 'late')
    await place.notifier.stop()
    await place.end('tsk_late', 'completed', 'done')
    const next = place.startAgain({ longWaitMs: 120 })
    const isTold = async (id: string) => (await findTask(place.db, id))?.told_turn === 1
    await waitFor('it to be told', () => isTold('tsk_late'))
    // Whatever was still to be told would be told before this one.
    await place.addTask('tsk_after', 'after')
    await place.end('tsk_after', 'completed', 'done')
    await waitFor('the later one', () => isTold('tsk_after'))
    expect(hook.calls.map(({ body }) => JSON.parse(body).taskId)).toEqual(['tsk_late', 'tsk_after'])
    await next.stop()
    await hook.stop()
  })
})

describe('a task that waits for a runner', () => {
  it('calls for attention once, when it waited too long without a break', async () => {
    const waiting = await startPlace({ longWaitMs: 240 })
    const setRunner = (seenAt: number) =>
      sql`insert into runners (id, name, slots, seen_at) values ('r', 'R', 1, ${seenAt})
        on conflict (id) do update set seen_at = excluded.seen_at`.execute(waiting.db)
    const { subscription, hash } = await service.subscribe(waiting.webPush.publicKey)
    await putSubscription(waiting.db, waiting.user.id, 'device', subscription)
    await setRunner(Date.now())
    await waiting.addTask('tsk_queue', 'only waits its turn', 'pending', 'queued')
    await waiting.addTask('tsk_full', 'full', 'pending', 'host_disk_full')
    await waitFor('the message', async () => (await service.received(hash)).length > 0)
    await sql`delete from tasks where id = 'tsk_queue'`.execute(waiting.db)
    await waiting.addTask('tsk_wait', 'wait', 'pending', 'queued')
    await setRunner(0)
    await waitFor('the second message', async () => (await service.received(hash)).length > 1)
    // By the time that another task has waited as long, the first two would have been told of again.
    await waiting.addTask('tsk_wait2', 'wait', 'pending', 'queued')
    await waitFor('the third message', async () => (await service.received(hash)).length > 2)
    const told = (await service.received(hash)) as { taskId: string; body: string }[]
    const ofNoRunner = told.map(({ taskId, body }) => `${taskId} ${body.includes('no runner')}`)
    expect(ofNoRunner).toEqual(['tsk_full false', 'tsk_wait true', 'tsk_wait2 true'])
    await waiting.stop()
  })
})
