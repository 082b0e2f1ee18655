import { join } from 'node:path'
import webPush from 'web-push'
import type { PushSubscription } from '../../contract/api/api.ts'
import type { Config } from '../process/config.ts'
import { readOrStore } from '../secrets/stored-file.ts'
import type { OutsideRequest } from './outside.ts'

export type WebPush = {
  /** For the browser's `pushManager.subscribe`, base64url. */
  publicKey: string
  /**
   * Makes a request for a push service: the message is encrypted for the browser alone (RFC 8291) and signed by this server (RFC 8292).
   * @param topic a later message replaces an undelivered one with the same topic; 32 letters at most
   * @throws Error when the keys of the subscription are unusable
   */
  requestFor: (subscription: PushSubscription, text: string, topic: string) => OutsideRequest
}

/** How long a push service stores a message for a phone that is off, seconds. */
const TTL_S = 24 * 60 * 60

/** The keys are made at the first start and stored: new keys would void every subscription. */
export async function createWebPush({ dataDir, publicUrl }: Pick<Config, 'dataDir' | 'publicUrl'>): Promise<WebPush> {
  const path = join(dataDir, 'vapid-keys.json')
  const keys = JSON.parse(await readOrStore(path, () => JSON.stringify(webPush.generateVAPIDKeys())))
  // The contact for operators of push services; it must be https: or mailto: (RFC 8292 §2.1).
  const subject = publicUrl.startsWith('https:') ? publicUrl : `mailto:errand@${new URL(publicUrl).hostname}`
  return {
    publicKey: keys.publicKey,
    requestFor: (subscription, text, topic) => {
      const options = { vapidDetails: { ...keys, subject }, TTL: TTL_S, topic, urgency: 'high' as const }
      const { endpoint, headers, body } = webPush.generateRequestDetails(subscription, text, options)
      return { url: endpoint, headers: headers as OutsideRequest['headers'], body }
    },
  }
}
