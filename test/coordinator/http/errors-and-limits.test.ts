import { describe, expect, it } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { STATUS } from '../../../coordinator/http/errors.ts'
import { Refusal } from '../../../coordinator/process/errors.ts'
import { startHttp } from '../../support/outside/http-server.ts'
import { scriptedTasks } from '../../support/scripted/scripted-tasks.ts'

const newTask = { repoUrl: 'https://github.com/owner/name', prompt: 'fix the failing test' }

describe('the table of errors', () => {
  it.each(Object.entries(STATUS))('%s is HTTP %i', async (code, status) => {
    const server = await startHttp({}, { readiness: () => Promise.reject(new Refusal(code as never, 'as asked', { extra: 1 })) })
    const response = await fetch(`${server.url}/readyz`)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({
      error: { code, message: 'as asked', requestId: response.headers.get('x-request-id'), details: { extra: 1 } },
    })
    await server.stop()
  })
})

describe('a body that is not there, or of another kind', () => {
  it('is told what kind is wanted', async () => {
    const server = await startHttp()
    const { token } = await server.addUser('mona')
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' }
    for (const body of [null, JSON.stringify(newTask)]) {
      const response = await fetch(`${server.url}/api/tasks`, { method: 'POST', headers, body })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        error: { message: expect.stringContaining('Content-Type: application/json') },
      })
    }
    await server.stop()
  })
})

describe('a file that went away after it was found', () => {
  it('is not found, and where it was is nobody’s business', async () => {
    const server = await startHttp({}, { tasks: { ...scriptedTasks(), output: async () => '/nowhere/at-all' } })
    const response = await server.call('GET', '/api/tasks/tsk_1/outputs/toolu_1')
    const body = await response.text()
    expect([response.status, JSON.parse(body)]).toEqual([404, { error: expect.objectContaining({ code: 'not_found' }) }])
    expect(body).not.toContain('nowhere')
    await server.stop()
  })
})

describe('a store in trouble', () => {
  it('is unavailable, and worth another try', async () => {
    const full = new SQLite.SqliteError('database or disk is full', 'SQLITE_FULL')
    const server = await startHttp({}, { readiness: () => Promise.reject(full) })
    const response = await fetch(`${server.url}/readyz`)
    expect(await response.json()).toMatchObject({ error: { code: 'unavailable', message: expect.stringContaining('disk') } })
    expect(response.status).toBe(503)
    await server.stop()
  })
})

describe('limits', () => {
  it('stop a user who sends too much, but not the next one', async () => {
    const server = await startHttp()
    const mona = await server.addUser('mona')
    const next = await server.addUser('next')
    const send = (token: string) => server.call('POST', '/api/tasks', { token, body: newTask })
    const statuses: number[] = []
    for (let sent = 0; sent < 121; sent++) statuses.push((await send(mona.token)).status)
    expect(statuses.filter((status) => status === 201)).toHaveLength(120)
    const refused = await send(mona.token)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limited' } })
    expect((await send(next.token)).status).toBe(201)
    expect((await server.call('GET', '/api/me', { token: mona.token })).status).toBe(200)
    await server.stop()
  })

  it('count an address behind a trusted proxy as the client’s, and believe no header otherwise', async () => {
    for (const [proxies, expected] of [
      ['0', 429],
      ['1', 404],
    ] as const) {
      const server = await startHttp({ ERRAND_TRUSTED_PROXIES: proxies })
      const knock = (address: string) =>
        fetch(`${server.url}/auth/github`, { redirect: 'manual', headers: { 'x-forwarded-for': address } })
      for (let times = 0; times < 10; times++) expect((await knock('203.0.113.1')).status).toBe(404)
      expect((await knock('203.0.113.1')).status).toBe(429)
      expect((await knock('203.0.113.2')).status).toBe(expected)
      await server.stop()
    }
  })

  it('tell the operator once when a proxy is there that is not trusted: all visitors count as one', async () => {
    for (const [proxies, expected] of [
      ['0', 1],
      ['1', 0],
    ] as const) {
      const server = await startHttp({ ERRAND_TRUSTED_PROXIES: proxies })
      const warnings = () => server.log().match(/"event":"proxy.not_trusted".*ERRAND_TRUSTED_PROXIES/g) ?? []
      await fetch(`${server.url}/auth/ways`)
      expect(warnings()).toEqual([])
      for (let times = 0; times < 2; times++)
        await fetch(`${server.url}/auth/ways`, { headers: { 'x-forwarded-for': '203.0.113.1' } })
      expect(warnings()).toHaveLength(expected)
      await server.stop()
    }
  })
})
