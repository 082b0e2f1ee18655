import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PushSubscription } from '../../contract/api/api.ts'
import { deleteSubscription, findNotifications, listSubscriptions } from '../store/accounts/notifications.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { Outside, OutsideRequest } from './outside.ts'
import type { Notice } from './should-notify.ts'
import type { WebPush } from './web-push.ts'

export type DeliveryParts = { db: Store; webPush: WebPush; outside: Outside; log: Logger }

/** How many of a user's devices and addresses took it, and how many did not. */
export type Delivered = { sent: number; failed: number }

type Target = { by: 'push' | 'webhook'; request: () => OutsideRequest; gone: () => Promise<void> }

/**
 * Sends to every device of the user and to their webhook. A subscription that its push service does not know any more is forgotten.
 * @param pausesMs before each further try of what failed in a way that may pass
 */
export async function deliverNotice(
  parts: DeliveryParts,
  userId: string,
  notice: Notice,
  pausesMs: readonly number[],
  signal: AbortSignal,
): Promise<Delivered> {
  const { webhookUrl } = await findNotifications(parts.db, userId)
  const subscriptions = await listSubscriptions(parts.db, userId)
  const targets = [
    ...subscriptions.map((subscription) => pushTarget(parts, userId, notice, subscription)),
    ...(webhookUrl === null ? [] : [webhookTarget(notice, webhookUrl)]),
  ]
  const facts = { taskId: notice.taskId, userId }
  const answers = await Promise.all(targets.map((target) => deliver(parts, facts, target, pausesMs, signal)))
  const sent = answers.filter(Boolean).length
  return { sent, failed: answers.length - sent }
}

function pushTarget({ db, webPush }: DeliveryParts, userId: string, notice: Notice, subscription: PushSubscription): Target {
  return {
    by: 'push',
    request: () => webPush.requestFor(subscription, JSON.stringify(notice), notice.taskId),
    gone: () => deleteSubscription(db, userId, subscription.endpoint),
  }
}

/** JSON for programs; the headers have ntfy 2.10 or newer make a notification of it (docs.ntfy.sh/publish, "Message templating"). */
function webhookTarget({ title, body, taskId, url }: Notice, webhookUrl: string): Target {
  return {
    by: 'webhook',
    request: () => ({
      url: webhookUrl,
      headers: {
        'Content-Type': 'application/json',
        'X-Template': 'yes',
        'X-Title': '{{.title}}',
        'X-Message': '{{.body}}',
        'X-Click': url,
      },
      body: JSON.stringify({ title, body, taskId, url }),
    }),
    gone: async () => undefined,
  }
}

/** @returns whether it was taken */
async function deliver(
  { outside, log }: DeliveryParts,
  facts: { taskId: string; userId: string },
  target: Target,
  pausesMs: readonly number[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const pauseMs of [0, ...pausesMs]) {
    await setTimeout(pauseMs, undefined, { signal })
    const answer = await post(outside, target).catch((error: unknown) => error as Error)
    if (typeof answer === 'number' && answer >= 200 && answer < 300) {
      log.info({ event: 'notification.sent', ...facts, by: target.by })
      return true
    }
    const why = typeof answer === 'number' ? { status: answer } : { err: answer }
    log.warn({ event: 'notification.failed', ...facts, by: target.by, ...why })
    // What cannot be forgotten now is found gone again next time; the others were told all the same.
    if (answer === 404 || answer === 410)
      await target.gone().catch((error) => log.error({ event: 'notification.not_forgotten', ...facts, err: error }))
    if (!mayPass(answer)) return false
  }
  return false
}

async function post(outside: Outside, target: Target): Promise<number> {
  return outside.post(target.request())
}

/** Whether the same may work a little later: no answer, too many at once, or a fault of the other side. */
function mayPass(answer: number | Error): boolean {
  return typeof answer === 'number' ? answer === 429 || answer >= 500 : 'syscall' in answer || answer.name === 'TimeoutError'
}
