import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RUNNER_PATHS } from '../../../contract/wire/names.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'

const runner = { id: 'host-1', name: 'host', slots: 1 }
const job = { taskId: 'tsk_1', turn: 1, signature: 'ab' }

describe('the calls of runners', () => {
  let server: HttpServer
  beforeAll(async () => {
    server = await startHttp({ RUNNER_TOKEN: 'a-token-of-the-runners' })
  })
  afterAll(() => server.stop())
  const call = (method: string, path: string, body?: unknown, token = 'a-token-of-the-runners') =>
    server.call(method, path, { token, ...(body === undefined ? {} : { body }) })

  it('reach the leases, and no cache keeps the answer', async () => {
    const refused = await call('POST', RUNNER_PATHS.lease, { job, runner })
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(await refused.json()).toEqual({ granted: false, refusal: 'unknown', retryAfterMs: 1000 })
    const renewed = await call('POST', RUNNER_PATHS.renew, { runner, attempts: [{ taskId: 'tsk_1', attempt: 2 }] })
    expect(await renewed.json()).toEqual({
      attempts: [{ taskId: 'tsk_1', attempt: 2, state: 'leased', leaseMs: 30_000, messages: [] }],
    })
  })

  it('hand over bytes as they are', async () => {
    const put = await call('PUT', RUNNER_PATHS.artifact('tsk_1', 2, 'patch'), 'diff --git a b\n')
    expect(put.status).toBe(204)
    expect(server.saved).toEqual([{ taskId: 'tsk_1', attempt: 2, kind: 'patch', text: 'diff --git a b\n' }])
    for (const [attempt, kind] of [
      ['2', 'other'],
      ['0', 'patch'],
      ['x', 'patch'],
    ])
      expect((await call('PUT', `/runner/artifacts/tsk_1/${attempt}/${kind}`, 'x')).status).toBe(400)
  })

  it('are closed to everybody else, the owner included', async () => {
    for (const token of [server.owner.token, 'a-token-of-the-runner', 'a-token-of-the-runnersX', ''])
      for (const [method, path] of [
        ['POST', RUNNER_PATHS.lease],
        ['POST', RUNNER_PATHS.renew],
        ['PUT', RUNNER_PATHS.artifact('tsk_1', 2, 'patch')],
      ] as const)
        expect((await call(method, path, { job, runner }, token)).status).toBe(401)
    expect((await fetch(server.url + RUNNER_PATHS.lease, { method: 'POST' })).status).toBe(401)
    expect((await call('GET', '/api/me')).status).toBe(401)
  })

  it('are parsed at the door', async () => {
    const response = await call('POST', RUNNER_PATHS.lease, { job: { ...job, turn: 0 }, runner: { ...runner, id: '../x' } })
    expect(await response.json()).toMatchObject({
      error: {
        code: 'invalid',
        details: [expect.objectContaining({ path: 'job.turn' }), expect.objectContaining({ path: 'runner.id' })],
      },
    })
  })
})
