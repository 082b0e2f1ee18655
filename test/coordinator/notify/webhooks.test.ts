import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { putNotifications } from '../../../coordinator/store/accounts/notifications.ts'
import { findTask } from '../../../coordinator/store/tasks.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { listen } from '../../support/systems/temporary.ts'
import { type Notices, PUBLIC_URL, startNotices } from './notices.ts'

let notices: Notices
beforeEach(async () => {
  notices = await startNotices()
})
afterEach(() => notices.stop())

describe('a webhook', () => {
  type Call = { headers: IncomingHttpHeaders; body: string }
  const startHook = async (answers: number[]) => {
    const calls: Call[] = []
    const server = createServer(async (request, response) => {
      calls.push({ headers: request.headers, body: await text(request) })
      response.writeHead(answers[calls.length - 1] ?? 200, { location: '/elsewhere' }).end()
    })
    const { url, close: stop } = await listen(server)
    await putNotifications(notices.db, notices.user.id, {
      onDone: true,
      onFailed: true,
      onAttention: true,
      webhookUrl: `${url}/topic`,
    })
    return { calls, stop }
  }

  it('gets JSON, with headers that have ntfy make a notification of it', async () => {
    const hook = await startHook([200])
    await notices.addTask('tsk_hook', 'Grüße 👋 an alle')
    await notices.end('tsk_hook', 'failed', 'push_refused')
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
    await notices.addTask('tsk_again', 'again')
    await notices.end('tsk_again', 'completed', 'done')
    await waitFor(
      'the last try',
      () => notices.facts('notification.failed').length + notices.facts('notification.sent').length === calls,
    )
    await notices.notifier.stop()
    expect([hook.calls.length, notices.facts('notification.sent').length]).toEqual([calls, sent])
    expect(notices.log()).not.toContain('/topic')
    await hook.stop()
  })

  it('that a stop kept from being called is called after the next start, and then no more', async () => {
    const hook = await startHook([200, 200])
    await notices.addTask('tsk_late', 'late')
    await notices.notifier.stop()
    await notices.end('tsk_late', 'completed', 'done')
    const next = notices.startAgain({ longWaitMs: 120 })
    const isTold = async (id: string) => (await findTask(notices.db, id))?.told_turn === 1
    await waitFor('it to be told', () => isTold('tsk_late'))
    // Whatever was still to be told would be told before this one.
    await notices.addTask('tsk_after', 'after')
    await notices.end('tsk_after', 'completed', 'done')
    await waitFor('the later one', () => isTold('tsk_after'))
    expect(hook.calls.map(({ body }) => JSON.parse(body).taskId)).toEqual(['tsk_late', 'tsk_after'])
    await next.stop()
    await hook.stop()
  })
})
