import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HttpServer, startHttp } from '../../support/outside/http-server.ts'

let server: HttpServer
beforeAll(async () => {
  server = await startHttp()
})
afterAll(() => server.stop())

describe('who asks', () => {
  it('says who one is and what the server offers', async () => {
    expect(await (await server.call('GET', '/api/me')).json()).toEqual({
      ...server.owner.user,
      demo: true,
      demoRepoUrl: `${server.url}/demo/git/hello.git`,
      gitHosts: ['https://github.com'],
      models: expect.arrayContaining(['claude-opus-5-5']),
      defaultModel: 'claude-opus-5-5',
      defaultBudgetUsd: 5,
      ownBudgetUsd: null,
    })
  })

  it('takes a default budget of one’s own, within the bounds of a task’s, and goes back to the server’s', async () => {
    const { token } = await server.addUser('thrifty')
    const change = (body: unknown) => server.call('PATCH', '/api/me', { token, body })
    const mine = { defaultBudgetUsd: 0.75, ownBudgetUsd: 0.75 }
    expect(await (await change({ ownBudgetUsd: 0.75 })).json()).toMatchObject({ name: 'thrifty', ...mine })
    for (const ownBudgetUsd of [0, -1, 1001, '2']) expect((await change({ ownBudgetUsd })).status).toBe(400)
    await change({})
    expect(await (await server.call('GET', '/api/me', { token })).json()).toMatchObject(mine)
    expect(await (await server.call('GET', '/api/me')).json()).toMatchObject({ defaultBudgetUsd: 5, ownBudgetUsd: null })
    expect(await (await change({ ownBudgetUsd: null })).json()).toMatchObject({ defaultBudgetUsd: 5, ownBudgetUsd: null })
  })
})
