import { afterEach, describe, expect, it } from '@jest/globals'
import { maySignIn } from '../../coordinator/http/passport.ts'
import { findGithubToken } from '../../coordinator/store/users.ts'
import { startGithub } from '../support/github-server.ts'
import { type HttpServer, startHttp } from '../support/http-server.ts'
import { freePort } from '../support/temporary.ts'
import { type Visitor, visitor } from '../support/visitor.ts'
import { waitFor } from '../support/wait.ts'

const stops: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const start = async (environment: Record<string, string> = {}): Promise<HttpServer> => {
  const server = await startHttp(environment)
  stops.push(server.stop)
  return server
}

/** A server whose GitHub app is registered at the stand-in. */
const startWithGithub = async (environment: Record<string, string> = {}) => {
  const port = String(await freePort())
  const github = await startGithub(`http://127.0.0.1:${port}/auth/github/callback`)
  stops.push(github.stop)
  const app = { GITHUB_CLIENT_ID: github.clientId, GITHUB_CLIENT_SECRET: github.clientSecret }
  const addresses = { GITHUB_URL: github.url, GITHUB_API_URL: `${github.url}/api`, ERRAND_PORT: port }
  return { github, server: await start({ ...app, ...addresses, ERRAND_USERS: '*', ...environment }) }
}

const locationOf = (response: Response): string => response.headers.get('location') ?? ''

/** From our page to GitHub, which lets the person in at once, to the address that GitHub sends the browser back to. */
const comeBack = async (browser: Visitor): Promise<string> => {
  const toGithub = await browser.get('/auth/github')
  const back = await fetch(locationOf(toGithub), { redirect: 'manual' })
  expect(back.status).toBe(302)
  return locationOf(back)
}

const nameOf = async (browser: Visitor): Promise<string | null> => {
  const response = await browser.get('/api/me')
  return response.ok ? ((await response.json()) as { name: string }).name : null
}

describe('signing in by GitHub', () => {
  it('lets a person in with state and PKCE, and keeps the token sealed', async () => {
    const { server, github } = await startWithGithub({ ERRAND_ADMINS: 'Mona' })
    const browser = visitor(server.url)
    const done = await browser.get(await comeBack(browser))
    expect([done.status, locationOf(done)]).toEqual([303, '/'])
    const me = (await (await browser.get('/api/me')).json()) as { id: string }
    expect(me).toMatchObject({ name: 'mona', admin: true, avatarUrl: 'https://avatars.example/1001' })
    expect(github.scopes).toEqual(['repo'])
    expect(await findGithubToken(server.parts.db, server.parts.secrets, me.id)).toBe(github.tokens[0])
    const rows = JSON.stringify([
      await server.parts.db.selectFrom('users').selectAll().execute(),
      await server.parts.db.selectFrom('sessions').selectAll().execute(),
    ])
    expect(rows).not.toContain(github.tokens[0])
    expect(server.log().includes(github.tokens[0] ?? '')).toBe(false)
    expect(await server.parts.identify({ cookie: browser.cookie() })).toMatchObject({ id: me.id })
  })

  it('is the same user again, by GitHub’s number, under whatever name', async () => {
    const { server, github } = await startWithGithub()
    const first = visitor(server.url)
    await first.get(await comeBack(first))
    github.person = { id: 1001, login: 'mona-renamed' }
    const second = visitor(server.url)
    await second.get(await comeBack(second))
    expect(await nameOf(first)).toBe('mona-renamed')
    const identities = await server.parts.db.selectFrom('users').select('identity').orderBy('identity', 'desc').execute()
    expect(identities).toEqual([{ identity: 'local:owner' }, { identity: 'github:1001' }])
  })

  it('refuses a callback that this browser did not start, before GitHub is asked', async () => {
    const { server, github } = await startWithGithub()
    const attacker = visitor(server.url)
    const forged = await comeBack(attacker)
    const victim = visitor(server.url)
    expect((await victim.get(forged)).status).toBe(403)
    const started = visitor(server.url)
    await started.get('/auth/github')
    expect((await started.get(forged)).status).toBe(403)
    expect((await victim.get('/auth/github/callback?code=made-up')).status).toBe(403)
    expect(github.exchanges).toBe(0)
    expect(await nameOf(victim)).toBeNull()
    expect(await nameOf(started)).toBeNull()
  })

  it('uses a callback once', async () => {
    const { server } = await startWithGithub()
    const browser = visitor(server.url)
    const back = await comeBack(browser)
    expect((await browser.get(back)).status).toBe(303)
    expect((await browser.get(back)).status).toBe(403)
  })

  it('tells a person who may not come in whom to ask, and keeps nothing of them', async () => {
    const { server } = await startWithGithub({ ERRAND_USERS: 'somebody', ERRAND_ADMINS: 'octocat' })
    const browser = visitor(server.url)
    const refused = await browser.get(await comeBack(browser))
    const text = await refused.text()
    expect(refused.status).toBe(403)
    expect(refused.headers.get('content-type')).toContain('text/html')
    expect(text).toContain('mona may not sign in here. Ask @octocat')
    expect(await nameOf(browser)).toBeNull()
    expect(await server.parts.db.selectFrom('users').selectAll().execute()).toHaveLength(1)
  })

  it('says what happened when the person declines, and when GitHub fails', async () => {
    const { server, github } = await startWithGithub()
    const browser = visitor(server.url)
    const declined = await browser.get('/auth/github/callback?error=access_denied&error_description=The+user+%3Cb%3Edenied')
    expect([declined.status, (await declined.text()).includes('The user &lt;b&gt;denied')]).toEqual([403, true])
    const back = await comeBack(browser)
    await github.stop()
    const failed = await browser.get(back)
    expect(failed.status).toBe(503)
    expect(await failed.text()).toContain('Try again')
  })

  it('is a clear 404 where it is not set up', async () => {
    const server = await start()
    const response = await visitor(server.url).get('/auth/github', { accept: 'application/json' })
    expect(await response.json()).toMatchObject({
      error: { code: 'not_found', message: expect.stringContaining('GITHUB_CLIENT_ID') },
    })
  })

  it.each([
    [{ admins: [], users: [] }, 'mona', false],
    [{ admins: ['Mona'], users: [] }, 'mona', true],
    [{ admins: [], users: ['mona'] }, 'MONA', true],
    [{ admins: [], users: ['*'] }, 'anybody', true],
    [{ admins: ['*'], users: [] }, 'anybody', false],
    [{ admins: [], users: ['*'] }, '', false],
  ])('with %j %s may come in: %s', (config, login, may) => {
    expect(maySignIn(login, config)).toBe(may)
  })
})

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
      expect([page.status, (await page.text()).includes(codeOf(link.url))]).toEqual([200, true])
    }
    expect(browser.cookie()).toBe('')
    const done = await browser.post('/auth/link', { code: codeOf(link.url) })
    expect([done.status, locationOf(done)]).toEqual([303, '/'])
    expect(await nameOf(browser)).toBe('owner')
    const late = visitor(server.url)
    expect((await late.post('/auth/link', { code: codeOf(link.url) })).status).toBe(403)
    expect(await nameOf(late)).toBeNull()
    expect(server.log().includes(codeOf(link.url))).toBe(false)
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
  const signedIn = async (server: HttpServer, browser = visitor(server.url)) => {
    const { url } = (await (await server.call('POST', '/auth/links')).json()) as { url: string }
    await browser.post('/auth/link', { code: new URL(url).searchParams.get('code') ?? '' })
    return browser
  }

  it('gets a new id at sign-in, so that a planted one is worth nothing', async () => {
    const { server } = await startWithGithub()
    const attacker = visitor(server.url)
    await attacker.get('/auth/github')
    const planted = attacker.cookie()
    expect(planted).toMatch(/^errand=/)
    const victim = visitor(server.url)
    victim.setCookie('errand', planted.slice('errand='.length))
    await signedIn(server, victim)
    expect(await nameOf(victim)).toBe('owner')
    expect(victim.cookie()).not.toBe(planted)
    expect(await nameOf(attacker)).toBeNull()
  })

  it('takes no id that we did not sign', async () => {
    const server = await start()
    const browser = await signedIn(server)
    const [row] = await server.parts.db.selectFrom('sessions').select(['id', 'user_id']).execute()
    expect(row?.user_id).toBe(server.owner.user.id)
    for (const value of [`s%3A${row?.id}.${'A'.repeat(43)}`, `${row?.id}`, 's%3A'])
      expect(await server.parts.identify({ cookie: `errand=${value}` })).toBeNull()
    expect(await server.parts.identify({ cookie: browser.cookie() })).toEqual(server.owner.user)
    expect(await server.parts.identify({ cookie: browser.cookie(), token: 'unknown' })).toBeNull()
    expect(await server.parts.identify({})).toBeNull()
  })

  it('changes nothing for a page of another site; a token needs no page', async () => {
    const server = await start()
    const browser = await signedIn(server)
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
    const browser = await signedIn(server)
    const cookie = browser.cookie()
    expect((await browser.post('/auth/logout', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(await nameOf(browser)).toBe('owner')
    expect((await browser.post('/auth/logout')).status).toBe(303)
    expect(await server.parts.identify({ cookie })).toBeNull()
    expect(server.disconnected).toEqual([server.owner.user.id])
    expect((await visitor(server.url).post('/auth/logout')).status).toBe(303)
  })

  it('ends by itself when nobody comes', async () => {
    const server = await start()
    const browser = await signedIn(server)
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
    await signedIn(server)
    const rows = () => server.parts.db.selectFrom('sessions').select(['id', 'user_id']).execute()
    await waitFor('the ended session to be gone', async () => (await rows()).every(({ id }) => id !== 'ended'))
    expect(await rows()).toEqual([expect.objectContaining({ user_id: server.owner.user.id })])
  })

  it('ends with its user', async () => {
    const server = await start()
    const browser = await signedIn(server)
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
    for (let times = 0; times < 12; times++) await signedIn(server)
    const statuses: number[] = []
    for (let tries = 0; tries < 11; tries++)
      statuses.push((await visitor(server.url).post('/auth/link', { code: 'guess' })).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429])
  })
})
