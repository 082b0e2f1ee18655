import { join } from 'node:path'
import webPush from 'web-push'
import type { PushSubscription } from '../../contract/api/api.ts'
import type { Config } from '../process/config.ts'
import { readOrKeep } from '../secrets/kept-file.ts'
import type { OutsideRequest } from './outside.ts'

export type WebPush = {
  /** For the browser's `pushManager.subscribe`, base64url. */
  publicKey: string
  /**
   * A message as its push service takes it: encrypted for the browser alone (RFC 8291), signed as ours (RFC 8292).
   * @param topic a later message of the same topic takes the place of one that is not delivered yet; 32 letters at most
   * @throws Error when the subscription's keys are none
   */
  requestFor: (subscription: PushSubscription, text: string, topic: string) => OutsideRequest
}

/** How long a push service keeps a message for a phone that is off; seconds. */
const KEPT_S = 24 * 60 * 60

/** Made at the first start and kept: with other keys, every subscription would be void. */
export async function createWebPush({ dataDir, publicUrl }: Pick<Config, 'dataDir' | 'publicUrl'>): Promise<WebPush> {
  const path = join(dataDir, 'vapid-keys.json')
  const keys = JSON.parse(await readOrKeep(path, () => JSON.stringify(webPush.generateVAPIDKeys())))
  // Where a push service's people would complain; it must be https: or mailto: (RFC 8292 §2.1).
  const subject = publicUrl.startsWith('https:') ? publicUrl : `mailto:errand@${new URL(publicUrl).hostname}`
  return {
    publicKey: keys.publicKey,
    requestFor: (subscription, text, topic) => {
      const options = { vapidDetails: { ...keys, subject }, TTL: KEPT_S, topic, urgency: 'high' as const }
      const { endpoint, headers, body } = webPush.generateRequestDetails(subscription, text, options)
      return { url: endpoint, headers: headers as OutsideRequest['headers'], body }
    },
  }
}
