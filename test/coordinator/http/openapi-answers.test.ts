import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { LIMITS } from '../../../contract/api/limits.ts'
import { describeApi } from '../../../coordinator/http/openapi.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'
import { visitor } from '../../support/systems/people.ts'

type Paths = Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>

const TASK = { repoUrl: 'https://github.com/owner/name', prompt: 'x', clientId: 'one-and-the-same' }
const WORD = { text: 'hello', mode: 'queue', clientId: 'one-and-the-same' }
const LARGE = 'x'.repeat(LIMITS.bodyBytes + 1)
const ELSEWHERE = { 'sec-fetch-site': 'cross-site' }

describe('the description of the API, beside what the server answers', () => {
  let server: HttpServer
  beforeAll(async () => {
    server = await startHttp()
  })
  afterAll(() => server.stop())

  const call: HttpServer['call'] = (...given) => server.call(...given)
  const outputFrom = (from: number) => call('GET', '/api/tasks/tsk_1/outputs/toolu_1', { headers: { range: `bytes=${from}-` } })
  const fromElsewhere = async (method: string, path: string) => {
    const cookie = (await server.signIn(visitor(server.url))).cookie()
    return fetch(server.url + path, { method, headers: { cookie, ...ELSEWHERE } })
  }
  const knockTooOften = async (path: string) => {
    const other = await startHttp()
    for (let times = 0; times < 60; times++) await fetch(other.url + path)
    const refused = await fetch(other.url + path)
    await other.stop()
    return refused
  }
  const askInTrouble = async (path: string) => {
    const other = await startHttp({}, { readiness: async () => ({ store: false, redis: true, disk: true }) })
    jest.spyOn(other.parts.db, 'selectFrom').mockImplementation(() => {
      throw new SQLite.SqliteError('database or disk is full', 'SQLITE_FULL')
    })
    const refused = await other.call('GET', path)
    await other.stop()
    return refused
  }

  it.each<[status: number, method: string, path: string, ask: () => Promise<Response>]>([
    [201, 'post', '/api/tasks', () => call('POST', '/api/tasks', { body: TASK })],
    [200, 'post', '/api/tasks', () => call('POST', '/api/tasks', { body: TASK })],
    [413, 'post', '/api/tasks', () => call('POST', '/api/tasks', { body: LARGE })],
    [201, 'post', '/api/tasks/{id}/messages', () => call('POST', '/api/tasks/tsk_1/messages', { body: WORD })],
    [200, 'post', '/api/tasks/{id}/messages', () => call('POST', '/api/tasks/tsk_1/messages', { body: WORD })],
    [202, 'post', '/api/tasks/{id}/retry', () => call('POST', '/api/tasks/tsk_1/retry')],
    [206, 'get', '/api/tasks/{id}/outputs/{callId}', () => outputFrom(1)],
    [416, 'get', '/api/tasks/{id}/outputs/{callId}', () => outputFrom(9_999_999)],
    [413, 'put', '/api/me/credentials', () => call('PUT', '/api/me/credentials', { body: LARGE })],
    [413, 'post', '/auth/link', () => visitor(server.url).post('/auth/link', { code: 'x'.repeat(3_000) })],
    [403, 'get', '/auth/link', () => visitor(server.url).get('/auth/link?code=used')],
    [404, 'get', '/auth/github/callback', () => visitor(server.url).get('/auth/github/callback?code=x')],
    [403, 'post', '/auth/links', () => fromElsewhere('POST', '/auth/links')],
    [403, 'patch', '/api/me', () => fromElsewhere('PATCH', '/api/me')],
    [403, 'delete', '/api/projects/{id}', () => fromElsewhere('DELETE', '/api/projects/prj_1')],
    [429, 'get', '/auth/ways', () => knockTooOften('/auth/ways')],
    [503, 'get', '/readyz', () => askInTrouble('/readyz')],
    [503, 'get', '/api/me', () => askInTrouble('/api/me')],
    [503, 'get', '/auth/link', () => askInTrouble('/auth/link?code=x')],
  ])('has the answer %i of %s %s, in the form in which it comes', async (status, method, path, ask) => {
    const response = await ask()
    await response.arrayBuffer()
    expect(response.status).toBe(status)
    const { content } = (describeApi(server.url).paths as Paths)[path]?.[method]?.responses[status] ?? {}
    // Of a fault a browser that opened a page gets a page; what is described is for programs.
    const type = response.headers.get('content-type')?.replace(/;.*/, '') ?? ''
    expect(Object.keys(content ?? {})).toEqual([status >= 400 ? type.replace('text/html', 'application/json') : type])
  })
})
