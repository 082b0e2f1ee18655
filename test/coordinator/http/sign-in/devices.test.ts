import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { pino } from 'pino'
import type { Socket } from 'socket.io-client'
import type { Device } from '../../../../contract/api/api.ts'
import type { Overview } from '../../../../contract/api/overview.ts'
import { CONTRACT_VERSION } from '../../../../contract/wire/lease.ts'
import { deviceName } from '../../../../coordinator/accounts/device-name.ts'
import { ensureOwner } from '../../../../coordinator/accounts/owner.ts'
import { createRooms, type Rooms } from '../../../../coordinator/live/rooms.ts'
import { putSubscription } from '../../../../coordinator/store/accounts/notifications.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type HttpServer, startHttp } from '../../../support/outside/http-server.ts'
import { answerTo, connectSocket } from '../../../support/systems/client.ts'
import { closeAfterEach } from '../../../support/systems/closing.ts'
import { type Visitor, visitor } from '../../../support/systems/people.ts'
import { freePort } from '../../../support/systems/temporary.ts'

const ANDROID = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
const EDGE =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0'
const CUT_OFF_MS = 1_000

const closers = closeAfterEach()

/** The real application beside the real sockets, which ask the same who somebody is. */
async function start() {
  let rooms: Rooms | null = null
  const server = await startHttp(
    {},
    {
      disconnectUser: (userId) => rooms?.disconnectUser(userId),
      disconnectDevice: (deviceId) => rooms?.disconnectDevice(deviceId),
    },
  )
  closers.push(server.stop)
  const { identify, limits, tasks } = server.parts
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  rooms = createRooms({ publicUrl: url, log: pino({ level: 'silent' }) })
  const sockets = createServer()
  rooms.serve(sockets, { tasks, identify, countNew: limits.countNew })
  await new Promise<void>((resolve) => sockets.listen(port, '127.0.0.1', resolve))
  closers.push(rooms.close)
  const connect = async (shown: { token?: string; cookie?: string }): Promise<Socket> => {
    const socket: Socket = connectSocket(url, {
      reconnection: false,
      ...(shown.token === undefined ? {} : { auth: { token: shown.token } }),
      ...(shown.cookie === undefined ? {} : { extraHeaders: { cookie: shown.cookie } }),
    })
    closers.push(() => socket.disconnect())
    const refusal = await answerTo(socket)
    if (refusal) throw refusal
    return socket
  }
  return { server, connect }
}

/** Signs in with this user agent, as the owner. */
async function browserOf(server: HttpServer, userAgent: string): Promise<Visitor> {
  const { url } = (await (await server.call('POST', '/auth/links')).json()) as { url: string }
  const browser = visitor(server.url)
  const code = new URL(url).searchParams.get('code') ?? ''
  await browser.post('/auth/link', { code }, { 'sec-fetch-site': 'same-origin', 'user-agent': userAgent })
  return browser
}

async function devicesOf(browser: Visitor): Promise<Device[]> {
  return ((await (await browser.get('/api/me/devices')).json()) as { items: Device[] }).items
}

function send(server: HttpServer, browser: Visitor, method: string, path: string) {
  return fetch(server.url + path, { method, headers: { cookie: browser.cookie(), 'sec-fetch-site': 'same-origin' } })
}

describe('devices', () => {
  it('are browsers by their names and API tokens, the one that asks marked', async () => {
    const { server } = await start()
    const phone = await browserOf(server, ANDROID)
    await browserOf(server, IPHONE)
    const items = await devicesOf(phone)
    expect(items.map(({ kind, name, current }) => `${kind} ${name}${current ? ', this one' : ''}`).sort()).toEqual([
      'browser Chrome on Android, this one',
      'browser Safari on iPhone',
      'token This server (CLI)',
    ])
    for (const { createdAt, lastUsedAt } of items)
      for (const time of [createdAt, lastUsedAt]) expect(Math.abs(Date.parse(time ?? '') - Date.now())).toBeLessThan(60_000)
    const rows = await server.parts.db.selectFrom('sessions').select('id').execute()
    for (const { id } of rows) expect(JSON.stringify(items)).not.toContain(id)
  })

  it('that are revoked are cut off within a second, their sockets too, and no other', async () => {
    const { server, connect } = await start()
    const [phone, lost] = [await browserOf(server, ANDROID), await browserOf(server, IPHONE)]
    const { token } = await server.addUser('mona')
    const sockets = [
      await connect({ cookie: lost.cookie() }),
      await connect({ cookie: phone.cookie() }),
      await connect({ token }),
    ]
    const subscription = { endpoint: 'https://push.example/1', keys: { p256dh: 'p', auth: 'a' } }
    const [its] = (await devicesOf(phone)).filter(({ name }) => name === 'Safari on iPhone')
    await putSubscription(server.parts.db, server.owner.user.id, its?.id ?? '', subscription)

    expect((await send(server, phone, 'DELETE', `/api/me/devices/${its?.id}`)).status).toBe(204)
    await waitFor('its socket to be closed', () => !sockets[0]?.connected, CUT_OFF_MS)
    expect((await lost.get('/api/me')).status).toBe(401)
    expect((await phone.get('/api/me')).status).toBe(200)
    expect(sockets.map(({ connected }) => connected)).toEqual([false, true, true])
    expect(await server.parts.db.selectFrom('push_subscriptions').selectAll().execute()).toEqual([])
    expect((await send(server, phone, 'DELETE', `/api/me/devices/${its?.id}`)).status).toBe(404)
    await expect(connect({ cookie: lost.cookie() })).rejects.toThrow('Sign in')
  })

  it('that are tokens are cut off in the same way', async () => {
    const { server, connect } = await start()
    const phone = await browserOf(server, ANDROID)
    const made = (await (await server.call('POST', '/api/me/tokens', { body: { name: 'script' } })).json()) as {
      id: string
      token: string
    }
    const [theirs, ours] = [await connect({ token: made.token }), await connect({ token: server.owner.token })]
    expect((await send(server, phone, 'DELETE', `/api/me/devices/${made.id}`)).status).toBe(204)
    await waitFor('its socket to be closed', () => !theirs.connected, CUT_OFF_MS)
    expect([(await server.call('GET', '/api/me', { token: made.token })).status, ours.connected]).toEqual([401, true])
  })

  it('are all signed out at once, this one too; the machine itself can still make a link', async () => {
    const { server, connect } = await start()
    const [phone, desk] = [await browserOf(server, ANDROID), await browserOf(server, EDGE)]
    const made = (await (await server.call('POST', '/api/me/tokens', { body: { name: 'script' } })).json()) as { token: string }
    const mona = await server.addUser('mona')
    const [mine, hers] = [await connect({ cookie: phone.cookie() }), await connect({ token: mona.token })]
    expect((await send(server, phone, 'POST', '/api/me/devices/sign-out-everywhere')).status).toBe(204)
    await waitFor('the socket to be closed', () => !mine.connected, CUT_OFF_MS)
    for (const browser of [phone, desk]) expect((await browser.get('/api/me')).status).toBe(401)
    expect((await server.call('GET', '/api/me', { token: made.token })).status).toBe(401)
    expect([(await server.call('GET', '/api/me', { token: mona.token })).status, hers.connected]).toEqual([200, true])
    expect(await devicesOf(await browserOf(server, ANDROID))).toHaveLength(2)
  })

  it.each([
    ['one is', 'DELETE', async (phone: Visitor) => `/api/me/devices/${(await devicesOf(phone))[0]?.id}`],
    ['all are', 'POST', async () => '/api/me/devices/sign-out-everywhere'],
  ])('leave no sign-in link behind when %s signed out: whoever held the device may have made one', async (_, method, pathOf) => {
    const { server } = await start()
    const phone = await browserOf(server, ANDROID)
    const linkOf = async (token: string) => {
      const { url } = (await (await server.call('POST', '/auth/links', { token })).json()) as { url: string }
      return url.slice(new URL(url).origin.length)
    }
    const [mine, hers] = [await linkOf(server.owner.token), await linkOf((await server.addUser('mona')).token)]
    const opens = async (link: string) => (await visitor(server.url).get(link)).status
    expect([await opens(mine), await opens(hers)]).toEqual([200, 200])
    expect((await send(server, phone, method, await pathOf(phone))).status).toBe(204)
    expect([await opens(mine), await opens(hers)]).toEqual([403, 200])
  })

  it('of one kind can be told apart, and keep their names when others leave', async () => {
    const { server } = await start()
    const first = await browserOf(server, IPHONE)
    const [, third] = [await browserOf(server, IPHONE), await browserOf(server, IPHONE)]
    for (const name of ['script', 'script']) await server.call('POST', '/api/me/tokens', { body: { name } })
    const namesOf = async (browser: Visitor) => (await devicesOf(browser)).map(({ name }) => name).sort()
    const others = ['This server (CLI)', 'script', 'script (2)']
    const phones = ['Safari on iPhone', 'Safari on iPhone (2)', 'Safari on iPhone (3)']
    expect(await namesOf(third)).toEqual([...phones, ...others])
    await send(server, first, 'POST', '/auth/logout')
    expect(await namesOf(third)).toEqual([...phones.slice(1), ...others])
    expect((await devicesOf(third)).find(({ current }) => current)?.name).toBe('Safari on iPhone (3)')
    await browserOf(server, IPHONE)
    expect(await namesOf(third)).toEqual([...phones, ...others])
  })

  it('can be told apart also when they signed in under one name, as before', async () => {
    const { server } = await start()
    const phones = [await browserOf(server, IPHONE), await browserOf(server, IPHONE)] as const
    for (const { id, data } of await server.parts.db.selectFrom('sessions').selectAll().execute()) {
      const session = { ...JSON.parse(data), device: { ...JSON.parse(data).device, name: 'Safari on iPhone' } }
      await server.parts.db
        .updateTable('sessions')
        .set({ data: JSON.stringify(session) })
        .where('id', '=', id)
        .execute()
    }
    const browsers = (await devicesOf(phones[0])).filter(({ kind }) => kind === 'browser')
    expect(browsers.map(({ name }) => name).sort()).toEqual(['Safari on iPhone', 'Safari on iPhone (2)'])
  })

  it.each(['/api/me/devices/', '/api/me/tokens/'])(
    'never lose the way back in: %s refuses the server’s own token',
    async (path) => {
      const { server } = await start()
      const phone = await browserOf(server, ANDROID)
      const own = (await devicesOf(phone)).filter(({ serverOwn }) => serverOwn)
      expect(own.map(({ id, kind }) => [id, kind])).toEqual([[server.owner.tokenId, 'token']])
      const refused = await send(server, phone, 'DELETE', path + server.owner.tokenId)
      expect([refused.status, await refused.text()]).toEqual([409, expect.stringMatching(/errand link.*owner-token/)])
      expect((await server.call('POST', '/auth/links')).status).toBe(201)
    },
  )

  it('that are the server’s own token come back at the next start, when it was revoked before', async () => {
    const { server } = await start()
    const { db, config } = server.parts
    await db.deleteFrom('api_tokens').where('id', '=', server.owner.tokenId).execute()
    expect((await server.call('POST', '/auth/links')).status).toBe(401)
    const { token } = await ensureOwner(db, config)
    expect((await server.call('POST', '/auth/links', { token })).status).toBe(201)
    expect((await readFile(join(config.dataDir, 'owner-token'), 'utf8')).trim()).toBe(token)
  })

  it('are closed to a page of another site', async () => {
    const { server } = await start()
    const phone = await browserOf(server, ANDROID)
    for (const [method, path] of [
      ['DELETE', `/api/me/devices/${(await devicesOf(phone))[0]?.id}`],
      ['POST', '/api/me/devices/sign-out-everywhere'],
    ] as const) {
      const headers = { cookie: phone.cookie(), 'sec-fetch-site': 'cross-site' }
      expect((await fetch(server.url + path, { method, headers })).status).toBe(403)
    }
    expect(await devicesOf(phone)).toHaveLength(2)
  })
})

describe('the name of a browser', () => {
  it.each([
    [ANDROID, 'Chrome on Android'],
    [IPHONE, 'Safari on iPhone'],
    [EDGE, 'Edge on Windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
      'Safari on Mac',
    ],
    ['curl/8.0', 'A browser'],
    [undefined, 'A browser'],
  ])('%s', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name)
  })
})

describe('the overview', () => {
  it('shows runners, tasks and users to an admin, and nothing to others', async () => {
    const { server } = await start()
    const mona = await server.addUser('mona')
    const { db } = server.parts
    const now = Date.now()
    await db
      .insertInto('runners')
      .values([
        { id: 'a', name: 'desk', slots: 2, seen_at: now, contract: CONTRACT_VERSION },
        { id: 'b', name: 'cellar', slots: 4, seen_at: now - 60_000, contract: 0 },
      ])
      .execute()
    expect((await server.call('GET', '/api/admin/overview', { token: mona.token })).status).toBe(403)
    expect((await fetch(`${server.url}/api/admin/overview`)).status).toBe(401)
    expect(await (await server.call('GET', '/api/admin/overview')).json()).toEqual({
      runners: [
        { id: 'a', name: 'desk', slots: 2, busy: 0, seenAt: new Date(now).toISOString(), connected: true },
        {
          id: 'b',
          name: 'cellar',
          slots: 4,
          busy: 0,
          seenAt: new Date(now - 60_000).toISOString(),
          connected: false,
          unwell: { reason: 'runner_outdated', reasonText: expect.any(String), message: '' },
        },
      ],
      tasks: { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
      users: [
        { id: mona.user.id, name: 'mona', tasks: 0, costUsd: 0, lastSeenAt: expect.any(String) },
        { id: server.owner.user.id, name: 'owner', tasks: 0, costUsd: 0, lastSeenAt: expect.any(String) },
      ],
      redis: true,
      disk: expect.objectContaining({ low: false, freeBytes: expect.any(Number) }),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    })
  })

  it('counts no cost of a demo, which is made up', async () => {
    const { server } = await start()
    const { db } = server.parts
    for (const demo of [0, 1])
      await sql`insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, turn, attempt, last_seq, cost_usd, created_at)
        values (${`tsk_${demo}`}, ${server.owner.user.id}, 'r', 'b', 'p', 'm', 5, ${demo}, 'running', 1, 1, 0, 1.5, 1)`.execute(
        db,
      )
    const { users } = (await (await server.call('GET', '/api/admin/overview')).json()) as Overview
    expect(users).toMatchObject([{ name: 'owner', tasks: 2, costUsd: 1.5 }])
  })
})
