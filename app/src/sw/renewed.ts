declare const self: ServiceWorkerGlobalScope

/** Missing in TypeScript's library (https://w3c.github.io/push-api/#the-pushsubscriptionchange-event). */
export type SubscriptionChange = ExtendableEvent & {
  readonly oldSubscription?: PushSubscription | null
  readonly newSubscription?: PushSubscription | null
}

/**
 * Tells the server that the browser replaced or dropped its subscription. Without a session or a network this fails; the app then
 * renews the subscription at its next start.
 */
export async function renewSubscription({ oldSubscription, newSubscription }: SubscriptionChange): Promise<void> {
  const next = newSubscription ?? (oldSubscription && (await self.registration.pushManager.subscribe(oldSubscription.options)))
  if (next) await sendToServer('POST', next.toJSON())
  if (oldSubscription && oldSubscription.endpoint !== next?.endpoint)
    await sendToServer('DELETE', { endpoint: oldSubscription.endpoint })
}

async function sendToServer(method: 'POST' | 'DELETE', { endpoint, keys }: PushSubscriptionJSON): Promise<void> {
  await fetch('/api/me/push/subscriptions', {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint, keys }),
  })
}
