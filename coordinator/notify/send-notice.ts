import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PushSubscription } from '../../contract/api/api.ts'
import { deleteSubscription, findNotifications, listSubscriptions } from '../store/accounts/notifications.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { Outside, OutsideRequest } from './outside.ts'
import type { Notice } from './should-notify.ts'
import type { WebPush } from './web-push.ts'

export type SendParts = { db: Store; webPush: WebPush; outside: Outside; log: Logger }

/** How many of a user's devices and addresses accepted a notice, and how many did not. */
export type SendCounts = { sent: number; failed: number }

type Target = { by: 'push' | 'webhook'; request: () => OutsideRequest; forget: () => Promise<void> }

/**
 * Sends to every device of the user and to their webhook. Forgets a subscription that its push service no longer knows.
 * @param pausesMs the pauses before each further try after a temporary failure
 */
export async function sendNotice(
  parts: SendParts,
  userId: string,
  notice: Notice,
  pausesMs: readonly number[],
  signal: AbortSignal,
): Promise<SendCounts> {
  const { webhookUrl } = await findNotifications(parts.db, userId)
  const subscriptions = await listSubscriptions(parts.db, userId)
  const targets = [
    ...subscriptions.map((subscription) => pushTarget(parts, userId, notice, subscription)),
    ...(webhookUrl === null ? [] : [webhookTarget(notice, webhookUrl)]),
  ]
  const facts = { taskId: notice.taskId, userId }
  const answers = await Promise.all(targets.map((target) => sendTo(parts, facts, target, pausesMs, signal)))
  const sent = answers.filter(Boolean).length
  return { sent, failed: answers.length - sent }
}

function pushTarget({ db, webPush }: SendParts, userId: string, notice: Notice, subscription: PushSubscription): Target {
  return {
    by: 'push',
    request: () => webPush.requestFor(subscription, JSON.stringify(notice), notice.taskId),
    forget: () => deleteSubscription(db, userId, subscription.endpoint),
  }
}

/** JSON for programs; the headers make ntfy 2.10 or newer show a notification of it (docs.ntfy.sh/publish, "Message templating"). */
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
    forget: async () => undefined,
  }
}

/** @returns whether the target took it */
async function sendTo(
  { outside, log }: SendParts,
  facts: { taskId: string; userId: string },
  target: Target,
  pausesMs: readonly number[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const pauseMs of [0, ...pausesMs]) {
    await setTimeout(pauseMs, undefined, { signal })
    const answer = await post(outside, target)
    const { status } = answer
    if (status !== undefined && status >= 200 && status < 300) {
      log.info({ event: 'notification.sent', ...facts, by: target.by })
      return true
    }
    log.warn({ event: 'notification.failed', ...facts, by: target.by, ...answer })
    // If it cannot be forgotten now, the next notice tries again. The other targets still get the notice.
    if (status === 404 || status === 410)
      await target.forget().catch((error) => log.error({ event: 'notification.not_forgotten', ...facts, err: error }))
    if (!mayPass(answer)) return false
  }
  return false
}

type Answer = { status: number; err?: undefined } | { status?: undefined; err: unknown }

async function post(outside: Outside, target: Target): Promise<Answer> {
  try {
    return { status: await outside.post(target.request()) }
  } catch (err) {
    return { err }
  }
}

/** Whether the same request may work later: no answer, too many requests, or a fault on the other side. */
function mayPass({ status, err }: Answer): boolean {
  if (status !== undefined) return status === 429 || status >= 500
  const { syscall, name } = err as { syscall?: string; name?: string }
  return syscall !== undefined || name === 'TimeoutError'
}
