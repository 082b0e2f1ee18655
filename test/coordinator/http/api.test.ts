import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'

const REPO = 'https://github.com/owner/name'
const newTask = { repoUrl: REPO, prompt: 'fix the failing test' }

describe('the API', () => {
  let server: HttpServer
  beforeAll(async () => {
    server = await startHttp()
  })
  afterAll(() => server.stop())
  const call: HttpServer['call'] = (...all) => server.call(...all)

  it('takes a task once for one Idempotency-Key or clientId', async () => {
    const first = await call('POST', '/api/tasks', { body: newTask, headers: { 'idempotency-key': 'k-1' } })
    const task = (await first.json()) as { id: string }
    expect(first.status).toBe(201)
    expect(first.headers.get('location')).toBe(`/api/tasks/${task.id}`)
    const again = await call('POST', '/api/tasks', { body: { ...newTask, clientId: 'k-1' } })
    expect([again.status, await again.json()]).toEqual([200, task])
    const torn = await call('POST', '/api/tasks', {
      body: { ...newTask, clientId: 'k-2' },
      headers: { 'idempotency-key': 'k-1' },
    })
    expect(await torn.json()).toMatchObject({ error: { code: 'invalid', message: expect.stringContaining('Idempotency-Key') } })
  })

  it('serves a task, its events, its patch and its bundle', async () => {
    const { id } = (await (await call('POST', '/api/tasks', { body: newTask })).json()) as { id: string }
    expect(await (await call('GET', `/api/tasks/${id}`)).json()).toMatchObject({ id, status: 'pending' })
    expect(await (await call('GET', `/api/tasks/${id}/events?after=0`)).json()).toEqual({ events: [], lastSeq: 1, more: false })
    const diff = await call('GET', `/api/tasks/${id}/diff`)
    expect(diff.headers.get('content-type')).toBe('text/x-diff; charset=utf-8')
    expect(await diff.text()).toBe('diff --git a/ä b/ä\n')
    const bundle = await call('GET', `/api/tasks/${id}/bundle`)
    expect(bundle.headers.get('content-disposition')).toBe(`attachment; filename=errand-${id}.bundle`)
    expect(Buffer.from(await bundle.arrayBuffer())).toEqual(Buffer.from([0, 255, 1]))
    expect((await call('POST', `/api/tasks/${id}/cancel`)).status).toBe(202)
  })

  it('takes messages once, lists and withdraws them, and retries', async () => {
    const { id } = (await (await call('POST', '/api/tasks', { body: newTask })).json()) as { id: string }
    const path = `/api/tasks/${id}/messages`
    const body = { text: 'go on', mode: 'queue', clientId: 'm1' }
    const first = await call('POST', path, { body })
    const message = (await first.json()) as { id: string }
    const again = await call('POST', path, { body })
    expect([first.status, again.status, await again.json()]).toEqual([201, 200, message])
    expect(await (await call('GET', path)).json()).toEqual({ items: [message] })
    expect(await (await call('DELETE', `${path}/${message.id}`)).json()).toMatchObject({ id: message.id, state: 'withdrawn' })
    for (const wrong of [
      { ...body, mode: 'shout' },
      { ...body, text: ' ' },
      { text: 'x', mode: 'steer' },
      { ...body, stopFirst: 'yes' },
    ])
      expect((await call('POST', path, { body: wrong })).status).toBe(400)
    expect((await call('POST', `/api/tasks/${id}/retry`)).status).toBe(202)
  })

  it('serves changes of a turn, and says when no more of an output is kept than was shown', async () => {
    const { id } = (await (await call('POST', '/api/tasks', { body: newTask })).json()) as { id: string }
    expect(await (await call('GET', `/api/tasks/${id}/changes?turn=2`)).json()).toMatchObject({
      turn: 2,
      files: [],
      source: null,
    })
    expect((await call('GET', `/api/tasks/${id}/changes?turn=0`)).status).toBe(400)
    expect((await call('GET', `/api/tasks/${id}/outputs/toolu_2`)).status).toBe(404)
    const part = await call('GET', `/api/tasks/${id}/outputs/toolu_1`, { headers: { range: 'bytes=0-5' } })
    expect([part.status, part.headers.get('content-type'), await part.text()]).toEqual([
      206,
      'text/plain; charset=utf-8',
      'import',
    ])
  })

  it('keeps projects, one for a repository', async () => {
    const made = (await (await call('POST', '/api/projects', { body: { repoUrl: `${REPO}.git` } })).json()) as { id: string }
    expect(made).toMatchObject({ repoUrl: REPO, name: 'owner/name' })
    const renamed = await call('POST', '/api/projects', { body: { repoUrl: REPO, name: 'Mine' } })
    expect(await renamed.json()).toEqual({ ...made, name: 'Mine' })
    expect(await (await call('GET', '/api/projects')).json()).toEqual({ items: [{ ...made, name: 'Mine' }] })
    expect((await call('DELETE', `/api/projects/${made.id}`)).status).toBe(204)
    expect((await call('DELETE', `/api/projects/${made.id}`)).status).toBe(404)
  })

  it('keeps git credentials, and never gives the token back', async () => {
    const put = await call('PUT', '/api/me/credentials', { body: { host: 'git.example.org:8443', token: 'glpat-CANARY' } })
    const kept = await put.text()
    expect(JSON.parse(kept)).toMatchObject({ host: 'git.example.org:8443', username: null })
    const listed = await (await call('GET', '/api/me/credentials')).text()
    expect(JSON.parse(listed)).toEqual({ items: [JSON.parse(kept)] })
    expect(kept + listed).not.toContain('CANARY')
    expect(server.log().includes('CANARY')).toBe(false)
    expect((await call('DELETE', '/api/me/credentials/git.example.org:8443')).status).toBe(204)
    expect((await call('DELETE', '/api/me/credentials/git.example.org:8443')).status).toBe(404)
  })

  it('makes API tokens, and refuses a revoked one at once', async () => {
    const { token } = await server.addUser('tokens-2')
    const made = (await (await call('POST', '/api/me/tokens', { token, body: { name: ' phone ' } })).json()) as {
      id: string
      token: string
    }
    expect(made).toMatchObject({ name: 'phone', lastUsedAt: null })
    expect((await call('GET', '/api/me', { token: made.token })).status).toBe(200)
    const list = await (await call('GET', '/api/me/tokens', { token })).text()
    expect(list).not.toContain(made.token)
    expect(JSON.parse(list)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id: made.id, lastUsedAt: expect.any(String) })]),
    })
    expect((await call('DELETE', `/api/me/tokens/${made.id}`, { token })).status).toBe(204)
    const refused = await call('GET', '/api/me', { token: made.token })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await server.parts.identify({ token: made.token })).toBeNull()
    expect(server.disconnected).toEqual([made.id])
    const rows = JSON.stringify(await server.parts.db.selectFrom('api_tokens').selectAll().execute())
    expect(rows).not.toContain(token)
  })

  it.each([
    ['no header', undefined],
    ['an empty token', 'Bearer '],
    ['another scheme', 'Basic b3duZXI6cGFzcw=='],
    ['an unknown token', `Bearer errand_${'A'.repeat(43)}`],
    ['two tokens', 'Bearer a b'],
  ])('is closed to %s', async (_what, authorization) => {
    const response = await fetch(`${server.url}/api/me`, { headers: authorization === undefined ? {} : { authorization } })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } })
  })

  it('shows nobody what is somebody else’s: every route with a foreign id is not_found', async () => {
    const mona = await server.addUser('mona')
    const eve = await server.addUser('eve', { admin: true })
    const idOf = async (path: string, body: unknown) =>
      ((await (await call('POST', path, { token: mona.token, body })).json()) as { id: string }).id
    const task = await idOf('/api/tasks', newTask)
    const message = await idOf(`/api/tasks/${task}/messages`, { text: 'hi', mode: 'queue', clientId: 'own' })
    const project = await idOf('/api/projects', { repoUrl: REPO })
    const apiToken = await idOf('/api/me/tokens', { name: 'phone' })
    const otherToken = await idOf('/api/me/tokens', { name: 'desk' })
    await call('PUT', '/api/me/credentials', { token: mona.token, body: { host: 'github.com', token: 't' } })
    const routes: ReadonlyArray<readonly [string, string, object?]> = [
      ['GET', `/api/tasks/${task}`],
      ['GET', `/api/tasks/${task}/events`],
      ['GET', `/api/tasks/${task}/diff`],
      ['GET', `/api/tasks/${task}/bundle`],
      ['PATCH', `/api/tasks/${task}`, { budgetUsd: 50 }],
      ['POST', `/api/tasks/${task}/cancel`],
      ['GET', `/api/tasks/${task}/changes`],
      ['GET', `/api/tasks/${task}/outputs/toolu_1`],
      ['GET', `/api/tasks/${task}/messages`],
      ['POST', `/api/tasks/${task}/messages`, { text: 'hi', mode: 'steer', clientId: 'c' }],
      ['DELETE', `/api/tasks/${task}/messages/${message}`],
      ['POST', `/api/tasks/${task}/retry`],
      // It has not ended, so its owner is refused.
      ['DELETE', `/api/tasks/${task}`],
      ['DELETE', `/api/projects/${project}`],
      ['DELETE', `/api/me/devices/${otherToken}`],
      ['DELETE', `/api/me/tokens/${apiToken}`],
      ['DELETE', '/api/me/credentials/github.com'],
    ]
    for (const [method, path, body] of routes) {
      const foreign = await call(method, path, { token: eve.token, ...(body && { body }) })
      expect([method, path, foreign.status]).toEqual([method, path, 404])
      expect(await foreign.json()).toMatchObject({ error: { code: 'not_found' } })
    }
    for (const path of ['/api/tasks', '/api/projects', '/api/me/credentials'])
      expect(await (await call('GET', path, { token: eve.token })).json()).toMatchObject({ items: [] })
    // Everything is still there for its owner, so the routes above are not just wrong addresses.
    for (const [method, path] of routes) {
      const own = await call(method, path, { token: mona.token })
      expect([method, path, own.status]).not.toEqual([method, path, 404])
      await own.text()
    }
    // A route with a limit before it stands there twice. What only admins may call is nobody's own.
    const ofUsers = apiRoutesWithId(server).filter(({ path }) => !path.startsWith('/api/admin/'))
    const mounted = new Set(ofUsers.map(({ method, path }) => `${method} ${path}`))
    expect(routes).toHaveLength(mounted.size)
  })

  it.each([
    ['a prompt of blanks', { repoUrl: REPO, prompt: ' \n ' }, 400, 'invalid', /prompt: describe what/],
    ['no repository', { prompt: 'x' }, 400, 'invalid', /repoUrl/],
    ['malformed JSON', '{"repoUrl": ', 400, 'invalid', /JSON/],
    ['no object', '[1, 2]', 400, 'invalid', /a JSON object/],
    [
      'a body above the limit',
      JSON.stringify({ ...newTask, prompt: 'x'.repeat(LIMITS.bodyBytes) }),
      413,
      'too_large',
      /524288 bytes/,
    ],
    ['a fault of ours', { repoUrl: REPO, prompt: 'explode' }, 500, 'internal', /tell the administrator/],
  ])('answers %s in the one shape', async (_what, body, status, code, message) => {
    const response = await call('POST', '/api/tasks', { body })
    const text = await response.text()
    expect([response.status, JSON.parse(text)]).toEqual([
      status,
      {
        error: expect.objectContaining({
          code,
          message: expect.stringMatching(message),
          requestId: response.headers.get('x-request-id'),
        }),
      },
    ])
    expect(text).not.toContain('/var/lib/errand')
  })

  it('keeps the text of an unknown fault in the log, under the same request id', async () => {
    const response = await call('POST', '/api/tasks', { body: { ...newTask, prompt: 'explode' } })
    const { error } = (await response.json()) as { error: { requestId: string } }
    const line = server
      .log()
      .split('\n')
      .find((text) => text.includes(error.requestId) && text.includes('http.refused'))
    expect(line).toContain('/var/lib/errand')
  })

  it('asks for a body where there is none, and knows nothing at unknown addresses', async () => {
    expect(await (await call('POST', '/api/tasks')).json()).toMatchObject({ error: { code: 'invalid' } })
    expect(await (await call('GET', '/api/nothing')).json()).toMatchObject({ error: { code: 'not_found' } })
    expect(await (await call('GET', '/api/tasks?limit=0')).json()).toMatchObject({ error: { code: 'invalid' } })
    expect((await call('GET', '/api/tasks/%E0%A4%A')).status).toBe(400)
  })

  it('logs each request as a fact, without its query, headers or body', async () => {
    const { token } = await server.addUser('logged')
    await call('GET', '/api/me?secret=CANARY', { token, headers: { 'x-canary': 'CANARY' } })
    const fact = server
      .log()
      .split('\n')
      .filter((line) => line.includes('http.answered'))
      .at(-1)
    expect(JSON.parse(fact ?? '{}')).toMatchObject({ method: 'GET', path: '/api/me', status: 200, requestId: expect.any(String) })
    expect(server.log().includes('CANARY')).toBe(false)
    expect(server.log().includes(token)).toBe(false)
  })

  it('never lets an answer be cached, framed or sniffed, and does not say what it is made of', async () => {
    const { headers } = await call('GET', '/api/me')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).not.toContain('unsafe-inline')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
  })

  it('cuts an answer that fails half-way, so that no client takes it for whole', async () => {
    const broken = await startHttp({}, { tasks: { ...server.parts.tasks, patch: async () => Readable.from(halfPatch()) } })
    const answered = broken.call('GET', '/api/tasks/x/diff').then((response) => response.text())
    await expect(answered).rejects.toThrow()
    const line = broken
      .log()
      .split('\n')
      .find((text) => text.includes('http.refused'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 50, code: 'internal', err: { message: 'the disk is gone' } })
    await broken.stop()
  })

  it('is alive, ready and measured without a token', async () => {
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ready', store: true, redis: true, disk: true })
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('errand_tasks')
  })
})

async function* halfPatch() {
  yield 'x'.repeat(100_000)
  throw new Error('the disk is gone')
}

/** The routes below /api that name something by id, as Express has them. */
function apiRoutesWithId({ app }: HttpServer) {
  return app.router.stack.flatMap(({ route }) =>
    route?.path.startsWith('/api/') && route.path.includes(':')
      ? route.stack.map(({ method }) => ({ method: method.toUpperCase(), path: route.path }))
      : [],
  )
}
