import { describe, expect, it } from '@jest/globals'
import { SignInLink } from '../../../../contract/api/api.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type HttpServer, startHttp } from '../../../support/outside/http-server.ts'
import { closeAfterEach } from '../../../support/systems/closing.ts'
import { type Visitor, visitor } from '../../../support/systems/people.ts'

const closers = closeAfterEach()

async function start(environment: Record<string, string> = {}): Promise<HttpServer> {
  const server = await startHttp(environment)
  closers.push(server.stop)
  return server
}

function locationOf(response: Response): string {
  return response.headers.get('location') ?? ''
}

async function nameOf(browser: Visitor): Promise<string | null> {
  const response = await browser.get('/api/me')
  return response.ok ? ((await response.json()) as { name: string }).name : null
}

describe('a link', () => {
  const makeLink = async (server: HttpServer) =>
    (await (await server.call('POST', '/auth/links')).json()) as { url: string; expiresAt: string }
  const codeOf = (url: string) => new URL(url).searchParams.get('code') ?? ''

  it('signs in once, on a button that is pressed; looking does not use it up', async () => {
    const server = await start()
    const link = await makeLink(server)
    expect(new Date(link.expiresAt).getTime() - Date.now()).toBeGreaterThan(9 * 60_000)
    const browser = visitor(server.url)
    for (let look = 0; look < 2; look++) {
      const page = await browser.get(link.url)
      const text = await page.text()
      expect([page.status, text.includes(codeOf(link.url))]).toEqual([200, true])
      expect(text).toContain('as <strong>owner</strong>')
    }
    expect(browser.cookie()).toBe('')
    const done = await browser.post('/auth/link', { code: codeOf(link.url) })
    expect([done.status, locationOf(done)]).toEqual([303, '/'])
    expect(await nameOf(browser)).toBe('owner')
    const late = visitor(server.url)
    expect((await late.post('/auth/link', { code: codeOf(link.url) })).status).toBe(403)
    expect((await late.get(link.url)).status).toBe(403)
    expect(await nameOf(late)).toBeNull()
    expect(server.log().includes(codeOf(link.url))).toBe(false)
  })

  it('comes with what keeps other devices from opening it, when that is so', async () => {
    const link = async (server: HttpServer) => SignInLink.parse(await (await server.call('POST', '/auth/links')).json())
    const { url, onlyHere } = await link(await start())
    expect(new URL(url).hostname).toBe('127.0.0.1')
    expect(onlyHere).toMatchObject({
      reachable: false,
      settings: expect.arrayContaining([expect.stringMatching(/^ERRAND_PUBLIC_URL=/)]),
    })
    expect((await link(await start({ ERRAND_PUBLIC_URL: 'https://errand.example' }))).onlyHere).toBeNull()
  })

  it('works for one of many who bring it at once', async () => {
    const server = await start()
    const code = codeOf((await makeLink(server)).url)
    const all = await Promise.all(Array.from({ length: 8 }, () => visitor(server.url).post('/auth/link', { code })))
    expect(all.filter(({ status }) => status === 303)).toHaveLength(1)
  })

  it('is refused after ten minutes, with the way to a new one', async () => {
    const server = await start()
    const code = codeOf((await makeLink(server)).url)
    await server.parts.db
      .updateTable('sign_in_links')
      .set({ expires_at: Date.now() - 1 })
      .execute()
    const late = await visitor(server.url).post('/auth/link', { code })
    expect([late.status, (await late.text()).includes('npx errand link')]).toEqual([403, true])
  })

  it('is not pressed by another site, and is made by nobody unknown', async () => {
    const server = await start()
    const code = codeOf((await makeLink(server)).url)
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      {},
    ])
      expect((await visitor(server.url).post('/auth/link', { code }, headers)).status).toBe(403)
    expect((await visitor(server.url).post('/auth/link', { code }, { origin: server.url })).status).toBe(303)
    expect((await server.call('POST', '/auth/links', { token: 'unknown' })).status).toBe(401)
    expect((await visitor(server.url).get('/auth/link')).status).toBe(400)
  })

  it('escapes what it is given', async () => {
    const server = await start()
    const page = await visitor(server.url).get(`/auth/link?code=${encodeURIComponent('"><script>alert(1)</script>')}`)
    expect(await page.text()).not.toContain('<script>')
  })
})

describe('a session', () => {
  it('takes no id that we did not sign', async () => {
    const server = await start()
    const browser = await server.signIn(visitor(server.url))
    const [row] = await server.parts.db.selectFrom('sessions').select(['id', 'user_id']).execute()
    expect(row?.user_id).toBe(server.owner.user.id)
    for (const value of [`s%3A${row?.id}.${'A'.repeat(43)}`, `${row?.id}`, 's%3A'])
      expect(await server.parts.identify({ cookie: `errand=${value}` })).toBeNull()
    expect(await server.parts.identify({ cookie: browser.cookie() })).toEqual({
      user: server.owner.user,
      deviceId: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(await server.parts.identify({ cookie: browser.cookie(), token: 'unknown' })).toBeNull()
    expect(await server.parts.identify({})).toBeNull()
  })

  it('changes nothing for a page of another site; a token needs no page', async () => {
    const server = await start()
    const browser = await server.signIn(visitor(server.url))
    const send = (headers: Record<string, string>) =>
      fetch(`${server.url}/api/projects`, {
        method: 'POST',
        headers: { cookie: browser.cookie(), 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ repoUrl: 'https://github.com/owner/name' }),
      })
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, { origin: 'null' }])
      expect([headers, (await send(headers as Record<string, string>)).status]).toEqual([headers, 403])
    expect((await send({ 'sec-fetch-site': 'same-origin' })).status).toBe(201)
    expect((await send({ origin: server.url })).status).toBe(201)
    expect((await send({ authorization: `Bearer ${server.owner.token}`, cookie: '' })).status).toBe(201)
    const form = await browser.post('/api/projects', { repoUrl: 'https://github.com/owner/name' })
    expect(form.status).toBe(400)
  })

  it('ends at sign-out, for the cookie and for open sockets', async () => {
    const server = await start()
    const browser = await server.signIn(visitor(server.url))
    const cookie = browser.cookie()
    const signedIn = await server.parts.identify({ cookie })
    expect((await browser.post('/auth/logout', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(await nameOf(browser)).toBe('owner')
    expect((await browser.post('/auth/logout')).status).toBe(303)
    expect(await server.parts.identify({ cookie })).toBeNull()
    expect(server.disconnected).toEqual([signedIn?.deviceId])
    expect((await visitor(server.url).post('/auth/logout')).status).toBe(303)
  })

  it('ends by itself when nobody comes', async () => {
    const server = await start()
    const browser = await server.signIn(visitor(server.url))
    await server.parts.db
      .updateTable('sessions')
      .set({ expires_at: Date.now() - 1 })
      .execute()
    expect(await nameOf(browser)).toBeNull()
  })

  it('that ended is swept when somebody signs in', async () => {
    const server = await start()
    const ended = { id: 'ended', user_id: null, data: '{}', expires_at: Date.now() - 1 }
    await server.parts.db.insertInto('sessions').values(ended).execute()
    await server.signIn(visitor(server.url))
    const rows = () => server.parts.db.selectFrom('sessions').select(['id', 'user_id']).execute()
    await waitFor('the ended session to be gone', async () => (await rows()).every(({ id }) => id !== 'ended'))
    expect(await rows()).toEqual([expect.objectContaining({ user_id: server.owner.user.id })])
  })

  it('ends with its user', async () => {
    const server = await start()
    const browser = await server.signIn(visitor(server.url))
    await server.parts.db.deleteFrom('users').execute()
    expect(await nameOf(browser)).toBeNull()
  })

  it('has a cookie for this host alone, and over https a secure one even behind a silent proxy', async () => {
    const plain = await start()
    const { url } = (await (await plain.call('POST', '/auth/links')).json()) as { url: string }
    const code = new URL(url).searchParams.get('code') ?? ''
    const set = (await visitor(plain.url).post('/auth/link', { code })).headers.get('set-cookie')
    expect(set).toMatch(/^errand=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)

    const secure = await start({ ERRAND_PUBLIC_URL: 'https://errand.example' })
    const link = (await (await secure.call('POST', '/auth/links')).json()) as { url: string }
    expect(link.url).toMatch(/^https:\/\/errand\.example\/auth\/link\?code=/)
    const answer = await visitor(secure.url).post('/auth/link', { code: new URL(link.url).searchParams.get('code') ?? '' })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-errand=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=')
  })

  it('lets ten attempts to sign in fail a minute, and counts no other', async () => {
    const server = await start()
    for (let times = 0; times < 12; times++) await server.signIn(visitor(server.url))
    const statuses: number[] = []
    for (let tries = 0; tries < 11; tries++)
      statuses.push((await visitor(server.url).post('/auth/link', { code: 'guess' })).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429])
  })
})
