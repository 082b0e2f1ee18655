import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import type { Notifications } from '../../../contract/api/api.ts'
import { CONTRACT_VERSION } from '../../../contract/wire/lease.ts'
import { listSubscriptions, putNotifications, putSubscription } from '../../../coordinator/store/accounts/notifications.ts'
import { findTask } from '../../../coordinator/store/tasks.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type PushService, startPushService } from '../../support/outside/push-service.ts'
import { type Notices, PUBLIC_URL, startNotices } from './notices.ts'

const ALL: Notifications = { onDone: true, onFailed: true, onAttention: true, webhookUrl: null }

let service: PushService
let notices: Notices
beforeAll(async () => {
  service = await startPushService()
})
afterAll(() => service.stop())
beforeEach(async () => {
  notices = await startNotices()
})
afterEach(() => notices.stop())

async function subscribe(): Promise<string> {
  const { subscription, hash } = await service.subscribe(notices.webPush.publicKey)
  await putSubscription(notices.db, notices.user.id, 'device', subscription)
  return hash
}

describe('a push message', () => {
  it('says that a turn is done: its title, plain words, and the way there', async () => {
    const [phone, desk] = [await subscribe(), await subscribe()]
    await notices.addTask('tsk_done', 'Fix the failing test\n\nconst password = "x"')
    await notices.end('tsk_done', 'completed', 'done')
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
    expect(notices.log()).not.toContain(phone)
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
      await putNotifications(notices.db, notices.user.id, wanted)
      await notices.addTask(id, id)
      await notices.end(id, status, reason)
      const fact = await waitFor('a decision', () =>
        [...notices.facts('notification.sent'), ...notices.facts('notification.suppressed')].find(({ taskId }) => taskId === id),
      )
      expect([id, fact.event]).toEqual([id, told ? 'notification.sent' : 'notification.suppressed'])
    }
    await notices.addTask('tsk_stopped', 'stop')
    await notices.end('tsk_stopped', 'cancelled', 'cancelled_by_user')
    await notices.notifier.stop()
    const told = (await service.received(hash)) as { taskId: string }[]
    expect(told.map(({ taskId }) => taskId)).toEqual(['tsk_case2', 'tsk_case3', 'tsk_case4'])
  })

  it('stays away while its user has that very task in front, and comes again when they look elsewhere', async () => {
    const hash = await subscribe()
    const { presence, user } = notices
    const looks = [
      [{ active: true, taskId: 'tsk_look0' }, user.id, false],
      [{ active: false, taskId: 'tsk_look1' }, user.id, true],
      [{ active: true, taskId: 'tsk_other' }, user.id, true],
      [{ active: true, taskId: 'tsk_look3' }, 'somebody else', true],
    ] as const
    for (const [index, [state, userId, told]] of looks.entries()) {
      const id = `tsk_look${index}`
      presence.set('socket', userId, state)
      await notices.addTask(id, id)
      await notices.end(id, 'completed', 'done')
      const event = told ? 'notification.sent' : 'notification.suppressed'
      await waitFor(`${event} of ${id}`, () => notices.facts(event).find(({ taskId }) => taskId === id))
    }
    presence.set('socket', user.id, { active: true, taskId: 'tsk_gone' })
    presence.forget('socket')
    expect(presence.isInFront(user.id, 'tsk_gone')).toBe(false)
    expect(await service.received(hash)).toHaveLength(3)
  })

  it('to a browser that is gone ends its subscription, and the others still get theirs', async () => {
    const [gone, phone] = [await subscribe(), await subscribe()]
    await service.expire(gone)
    await notices.addTask('tsk_gone', 'gone')
    await notices.end('tsk_gone', 'completed', 'done')
    const left = await waitFor('one subscription to be left', async () => {
      const list = await listSubscriptions(notices.db, notices.user.id)
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
    await notices.notifier.stop()
    const next = notices.startAgain({ longWaitMs: 120 })
    await sql`create trigger refuse before ${sql.raw(change)} begin select raise(abort, 'of the test'); end`.execute(notices.db)
    await notices.addTask('tsk_once', 'once')
    await notices.end('tsk_once', 'completed', 'done')
    const told = async () => (await findTask(notices.db, 'tsk_once'))?.told_turn === 1
    await waitFor('the trouble to be over, or to have come again', async () => (await told()) || notices.facts(event).length > 2)
    await sql`drop trigger refuse`.execute(notices.db)
    await waitFor('the note', told)
    await next.stop()
    expect(await service.received(phone)).toHaveLength(1)
    expect(notices.facts(event).length).toBeGreaterThan(0)
  })

  it('reaches the other devices, once, when the keys of one are no keys', async () => {
    const phone = await subscribe()
    const { subscription } = await service.subscribe(notices.webPush.publicKey)
    await putSubscription(notices.db, notices.user.id, 'other', { ...subscription, keys: { p256dh: 'none', auth: 'none' } })
    await notices.addTask('tsk_keys', 'keys')
    await notices.end('tsk_keys', 'completed', 'done')
    await waitFor('the note', async () => (await findTask(notices.db, 'tsk_keys'))?.told_turn === 1)
    expect(await service.received(phone)).toHaveLength(1)
  })
})

describe('a task that waits for a runner', () => {
  it('calls for attention once, when it waited too long without a break', async () => {
    const waiting = await startNotices({ longWaitMs: 240 })
    const setRunner = (seenAt: number) =>
      sql`insert into runners (id, name, slots, seen_at, contract) values ('r', 'R', 1, ${seenAt}, ${CONTRACT_VERSION})
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
