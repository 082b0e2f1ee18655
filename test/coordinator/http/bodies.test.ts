import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ENDPOINTS } from '../../../contract/api/endpoints.ts'
import { CALLS, type CallId, routeOf } from '../../../contract/api/routes.ts'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'

const REPO = 'https://github.com/owner/name'
const newTask = { repoUrl: REPO, prompt: 'fix the failing test' }

let server: HttpServer
beforeAll(async () => {
  server = await startHttp()
})
afterAll(() => server.stop())

async function refusalOf(method: string, path: string, body: unknown) {
  const response = await server.call(method, path, { body })
  const { error } = (await response.json()) as { error?: { code: string; message: string } }
  return { status: response.status, code: error?.code, message: error?.message ?? '' }
}

describe('a body that cannot be taken', () => {
  it.each([
    ['a budget above the bound', { budgetUsd: 1001 }, /^budgetUsd: must be at most 1000 US dollars$/],
    ['a budget of nothing', { budgetUsd: 0 }, /^budgetUsd: must be more than 0$/],
    ['a budget in words', { budgetUsd: '5' }, /^budgetUsd: must be a number, in US dollars$/],
    ['an effort that there is not', { effort: 'max' }, /^effort: /],
    ['a misspelt field', { basebranch: 'dev' }, /^there is no field "basebranch" here\. Did you mean "baseBranch"\?$/],
    ['a misspelt field that is needed', { repoUrl: undefined, repo_url: REPO }, /"repo_url" here\. Did you mean "repoUrl"\?$/],
    ['an unknown field', { colour: 'red' }, /no field "colour" here\. The fields are: repoUrl, prompt, baseBranch/],
  ])('%s is named, with what would be right', async (_what, change, message) => {
    expect(await refusalOf('POST', '/api/tasks', { ...newTask, ...change })).toEqual({
      status: 400,
      code: 'invalid',
      message: expect.stringMatching(message),
    })
  })

  it('is every one with a field that is not known there', async () => {
    const takers = (Object.keys(CALLS) as CallId[]).filter((id) => 'body' in ENDPOINTS[id]).map(routeOf)
    expect(takers.length).toBeGreaterThan(8)
    for (const { method, path } of takers) {
      const { status, message } = await refusalOf(method, path.replace(':id', 'tsk_1'), { nonsense: 1 })
      expect([path, status, message]).toEqual([path, 400, expect.stringContaining('there is no field "nonsense" here.')])
    }
  })

  it('is not what a browser says of its subscription', async () => {
    const subscription = { endpoint: 'https://push.example/1', expirationTime: null, keys: { p256dh: 'x', auth: 'y' } }
    expect((await refusalOf('POST', '/api/me/push/subscriptions', subscription)).message).toContain('keys of this subscription')
  })
})
