import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { RUNNER_PATHS } from '../../../contract/wire/names.ts'
import { createScriptedRunner, runnerCalls, type ScriptedRunner } from '../../support/scripted/scripted-runner.ts'
import { startCoordinator, type TestCoordinator } from '../../support/systems/coordinator.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'

describe('the whole output of a tool call, as large as one is kept', () => {
  let redis: TestRedis
  let coordinator: TestCoordinator
  let runner: ScriptedRunner
  let url: string
  const whole = Buffer.from(`${'0123456789abcde\n'.repeat(LIMITS.outputBytes / 16)}`)

  beforeAll(async () => {
    redis = await startRedis()
    coordinator = await startCoordinator({ redisUrl: redis.url })
    runner = await createScriptedRunner(redis.url)
    const calls = runnerCalls(coordinator.url, coordinator.runnerToken)
    await calls.renew([])
    const body = JSON.stringify({ repoUrl: `${coordinator.url}/demo/git/hello.git`, prompt: 'x' })
    const headers = { authorization: `Bearer ${coordinator.ownerToken}`, 'content-type': 'application/json' }
    const { id } = (await (await fetch(`${coordinator.url}/api/tasks`, { method: 'POST', headers, body })).json()) as {
      id: string
    }
    const answer = await calls.lease(await runner.job(id))
    if (!answer.granted) throw new Error(answer.refusal)
    const path = RUNNER_PATHS.artifact(id, answer.lease.attempt, 'output.toolu_1')
    const asRunner = { authorization: `Bearer ${coordinator.runnerToken}` }
    const put = await fetch(coordinator.url + path, { method: 'PUT', headers: asRunner, body: whole })
    expect(put.status).toBe(204)
    url = `${coordinator.url}/api/tasks/${id}/outputs/toolu_1`
  })
  afterAll(async () => {
    await runner.close()
    await coordinator.stop()
    await redis.stop()
  })

  const get = (range?: string) =>
    fetch(url, { headers: { authorization: `Bearer ${coordinator.ownerToken}`, ...(range ? { range } : {}) } })

  it('comes piece by piece, and the pieces make the whole', async () => {
    const pieces: Buffer[] = []
    const size = 1_000_000
    for (let from = 0; from < whole.length; from += size) {
      const response = await get(`bytes=${from}-${from + size - 1}`)
      const last = Math.min(from + size, whole.length) - 1
      expect([response.status, response.headers.get('content-range')]).toEqual([206, `bytes ${from}-${last}/${whole.length}`])
      pieces.push(Buffer.from(await response.arrayBuffer()))
    }
    expect(Buffer.concat(pieces).equals(whole)).toBe(true)
  })

  it('comes from its end, and as a whole', async () => {
    expect(await (await get('bytes=-16')).text()).toBe('0123456789abcde\n')
    const all = await get()
    expect([all.status, all.headers.get('accept-ranges')]).toEqual([200, 'bytes'])
    expect(Buffer.from(await all.arrayBuffer()).equals(whole)).toBe(true)
  })

  it('says how long it is to who asks beyond its end', async () => {
    const response = await get(`bytes=${whole.length}-`)
    expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
  })
})
