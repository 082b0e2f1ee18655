import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { NotificationSettings } from '../../../contract/api/api.ts'
import { createWebPush } from '../../../coordinator/notify/web-push.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'
import { type PushService, startPushService } from '../../support/outside/push-service.ts'

let service: PushService
let server: HttpServer
beforeAll(async () => {
  service = await startPushService()
  server = await startHttp({ ERRAND_ALLOW_PRIVATE_WEBHOOKS: 'true' })
})
afterAll(async () => {
  await server.stop()
  await service.stop()
})

async function settingsOf(token?: string) {
  return (await (
    await server.call('GET', '/api/me/notifications', token === undefined ? {} : { token })
  ).json()) as NotificationSettings
}

describe('notifications', () => {
  it('are all on at first, with nowhere to go, and the test says so', async () => {
    const settings = await settingsOf()
    expect(settings).toMatchObject({ onDone: true, onFailed: true, onAttention: true, webhookUrl: null, subscriptions: 0 })
    expect(settings.vapidPublicKey).toMatch(/^[\w-]{87}$/)
    expect((await server.call('POST', '/api/me/notifications/test')).status).toBe(409)
  })

  it('are changed as a whole, and for their user alone', async () => {
    const mona = await server.addUser('mona')
    const body = { onDone: false, onFailed: true, onAttention: false, webhookUrl: 'https://ntfy.sh/topic' }
    const changed = await server.call('PUT', '/api/me/notifications', { body, token: mona.token })
    expect([changed.status, await changed.json()]).toEqual([200, expect.objectContaining(body)])
    expect(await settingsOf(mona.token)).toMatchObject(body)
    expect(await settingsOf()).toMatchObject({ onDone: true, webhookUrl: null })
    expect((await server.call('PUT', '/api/me/notifications', { body: { onDone: true } })).status).toBe(400)
  })

  it('reach a browser that subscribed, until it takes that back', async () => {
    const { subscription, hash } = await service.subscribe((await settingsOf()).vapidPublicKey)
    for (let times = 0; times < 2; times++)
      expect((await server.call('POST', '/api/me/push/subscriptions', { body: subscription })).status).toBe(204)
    expect((await settingsOf()).subscriptions).toBe(1)
    expect((await server.call('POST', '/api/me/notifications/test')).status).toBe(204)
    expect(await service.received(hash)).toEqual([expect.objectContaining({ title: 'Errand', url: server.url })])

    const { endpoint } = subscription
    const eve = await server.addUser('eve')
    await server.call('DELETE', '/api/me/push/subscriptions', { body: { endpoint }, token: eve.token })
    expect((await settingsOf()).subscriptions).toBe(1)
    expect((await server.call('DELETE', '/api/me/push/subscriptions', { body: { endpoint } })).status).toBe(204)
    expect((await settingsOf()).subscriptions).toBe(0)
  })

  it('that cannot be delivered are said to be so by the test', async () => {
    const { subscription, hash } = await service.subscribe((await settingsOf()).vapidPublicKey)
    await server.call('POST', '/api/me/push/subscriptions', { body: subscription })
    await service.expire(hash)
    expect((await server.call('POST', '/api/me/notifications/test')).status).toBe(503)
    expect((await settingsOf()).subscriptions).toBe(0)
  })

  it('take no subscription with keys that are none, and keep twenty of a user at most', async () => {
    const keys = { p256dh: 'AAAA', auth: 'AAAA' }
    const wrong = await server.call('POST', '/api/me/push/subscriptions', { body: { endpoint: 'https://push.example/1', keys } })
    expect(wrong.status).toBe(400)
    const { subscription } = await service.subscribe((await settingsOf()).vapidPublicKey)
    for (let n = 0; n < 22; n++)
      await server.call('POST', '/api/me/push/subscriptions', {
        body: { ...subscription, endpoint: `https://push.example/${n}` },
      })
    expect((await settingsOf()).subscriptions).toBe(20)
  })

  it('go to no private address, unless whoever runs the server allows it', async () => {
    const strict = await startHttp()
    const put = (webhookUrl: string) =>
      strict.call('PUT', '/api/me/notifications', { body: { onDone: true, onFailed: true, onAttention: true, webhookUrl } })
    for (const url of ['http://ntfy.sh/topic', 'https://10.0.0.1/hook', 'https://[::1]/hook'])
      expect((await put(url)).status).toBe(400)
    expect((await put('https://ntfy.sh/topic')).status).toBe(200)
    await strict.stop()
  })

  it('keep the same keys over starts', async () => {
    const again = await createWebPush(server.parts.config)
    expect(again.publicKey).toBe((await settingsOf()).vapidPublicKey)
  })
})
