declare const self: ServiceWorkerGlobalScope

/** TypeScript's library does not know its members yet (https://w3c.github.io/push-api/#the-pushsubscriptionchange-event). */
export type SubscriptionChange = ExtendableEvent & {
  readonly oldSubscription?: PushSubscription | null
  readonly newSubscription?: PushSubscription | null
}

/**
 * The browser took another subscription, or none, in place of the old one: the server is told. Without a session or a network it is
 * not; then the app says it at its next start.
 */
export async function renewSubscription({ oldSubscription, newSubscription }: SubscriptionChange): Promise<void> {
  const next = newSubscription ?? (oldSubscription && (await self.registration.pushManager.subscribe(oldSubscription.options)))
  if (next) await say('POST', next.toJSON())
  if (oldSubscription && oldSubscription.endpoint !== next?.endpoint) await say('DELETE', { endpoint: oldSubscription.endpoint })
}

async function say(method: 'POST' | 'DELETE', { endpoint, keys }: PushSubscriptionJSON): Promise<void> {
  await fetch('/api/me/push/subscriptions', {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint, keys }),
  })
}
