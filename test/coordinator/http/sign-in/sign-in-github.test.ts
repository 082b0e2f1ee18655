import { describe, expect, it } from '@jest/globals'
import { maySignIn } from '../../../../coordinator/accounts/guests.ts'
import { findGithubToken } from '../../../../coordinator/store/accounts/users.ts'
import { startGithub } from '../../../support/outside/github-server.ts'
import { type HttpServer, startHttp } from '../../../support/outside/http-server.ts'
import { closeAfterEach } from '../../../support/systems/closing.ts'
import { type Visitor, visitor } from '../../../support/systems/people.ts'
import { freePort } from '../../../support/systems/temporary.ts'

const closers = closeAfterEach()

async function start(environment: Record<string, string> = {}): Promise<HttpServer> {
  const server = await startHttp(environment)
  closers.push(server.stop)
  return server
}

/** A server whose GitHub app is registered at the stand-in. */
async function startWithGithub(environment: Record<string, string> = {}) {
  const port = String(await freePort())
  const github = await startGithub(`http://127.0.0.1:${port}/auth/github/callback`)
  closers.push(github.stop)
  const app = { GITHUB_CLIENT_ID: github.clientId, GITHUB_CLIENT_SECRET: github.clientSecret }
  const addresses = { GITHUB_URL: github.url, GITHUB_API_URL: `${github.url}/api`, ERRAND_PORT: port }
  return { github, server: await start({ ...app, ...addresses, ERRAND_USERS: '*', ...environment }) }
}

function locationOf(response: Response): string {
  return response.headers.get('location') ?? ''
}

/** From our page to GitHub, which lets the person in at once, to the address that GitHub sends the browser back to. */
async function comeBack(browser: Visitor): Promise<string> {
  const toGithub = await browser.get('/auth/github')
  const back = await fetch(locationOf(toGithub), { redirect: 'manual' })
  expect(back.status).toBe(302)
  return locationOf(back)
}

async function nameOf(browser: Visitor): Promise<string | null> {
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
    expect(await server.parts.identify({ cookie: browser.cookie() })).toMatchObject({ user: { id: me.id } })
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

  it('is said to be a way in where it is set up, to anybody, and the answer is not kept', async () => {
    const { server } = await startWithGithub()
    for (const [url, github] of [
      [server.url, true],
      [(await start()).url, false],
    ]) {
      const response = await fetch(`${url}/auth/ways`)
      expect([response.status, response.headers.get('cache-control'), await response.json()]).toEqual([
        200,
        'no-store',
        { github },
      ])
    }
  })

  it('is a clear 404 where it is not set up', async () => {
    const server = await start()
    const response = await visitor(server.url).get('/auth/github', { accept: 'application/json' })
    expect(await response.json()).toMatchObject({
      error: { code: 'not_found', message: expect.stringContaining('GITHUB_CLIENT_ID') },
    })
  })

  it('gives the session a new id, so that a planted one is worth nothing', async () => {
    const { server } = await startWithGithub()
    const attacker = visitor(server.url)
    await attacker.get('/auth/github')
    const planted = attacker.cookie()
    expect(planted).toMatch(/^errand=/)
    const victim = visitor(server.url)
    victim.setCookie('errand', planted.slice('errand='.length))
    await server.signIn(victim)
    expect(await nameOf(victim)).toBe('owner')
    expect(victim.cookie()).not.toBe(planted)
    expect(await nameOf(attacker)).toBeNull()
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
