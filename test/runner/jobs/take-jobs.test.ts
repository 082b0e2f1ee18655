import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Queue } from 'bullmq'
import { pino } from 'pino'
import { JOB_RETRY, retryDelayMs } from '../../../contract/wire/job.ts'
import { jobId, QUEUE_NAME } from '../../../contract/wire/names.ts'
import type { TurnAnswer } from '../../../runner/jobs/lease-and-run.ts'
import { type Taking, takeJobs } from '../../../runner/jobs/take-jobs.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'

describe('taking turns off the queue', () => {
  let redis: TestRedis
  let queue: Queue
  const taking: Taking[] = []

  beforeEach(async () => {
    redis = await startRedis()
    queue = new Queue(QUEUE_NAME, { connection: { url: redis.url } })
    queue.on('error', () => undefined)
  })
  afterEach(async () => {
    for (const one of taking.splice(0)) await one.close()
    await queue.close()
    await redis.stop()
  })

  const take = (handle: (data: unknown) => Promise<TurnAnswer>, slots = 1) => {
    const one = takeJobs({ redisUrl: redis.url, slots, handle, log: pino({ level: 'silent' }), lockMs: 1_000, stallCheckMs: 500 })
    taking.push(one)
    return one
  }
  const add = (taskId: string, retry: object = JOB_RETRY) =>
    queue.add('turn', { taskId, turn: 1, signature: 's' }, { jobId: jobId(taskId, 1), ...retry })
  const stateOf = async (taskId: string) => (await queue.getJob(jobId(taskId, 1)))?.getState()

  it('answers done with the outcome', async () => {
    await add('t1')
    take(async () => ({ type: 'done', outcome: 'completed' }))
    await waitFor('the job to complete', async () => (await stateOf('t1')) === 'completed')
    expect((await queue.getJob(jobId('t1', 1)))?.returnvalue).toEqual({ outcome: 'completed' })
  })

  it("leaves an interrupted turn to the queue's own retries, with growing pauses that it shows", async () => {
    const at: number[] = []
    await add('t1', { attempts: 5, backoff: { type: 'exponential', delay: 200 } })
    take(async () => {
      at.push(performance.now())
      return at.length < 4 ? { type: 'interrupted', why: 'runner_stopped' } : { type: 'done', outcome: 'completed' }
    })
    await waitFor('the job to wait for its retry', async () => (await stateOf('t1')) === 'delayed')
    await waitFor('the job to complete', async () => (await stateOf('t1')) === 'completed')
    const pauses = at.slice(1).map((time, i) => time - (at[i] ?? 0))
    expect(pauses[0]).toBeGreaterThanOrEqual(190)
    expect(pauses[1]).toBeGreaterThanOrEqual(390)
    expect(pauses[2]).toBeGreaterThanOrEqual(790)
    const job = await queue.getJob(jobId('t1', 1))
    expect(job?.attemptsMade).toBe(4)
    expect(job?.stacktrace?.join()).toContain('runner_stopped')
  })

  it('pauses two seconds at first, then twice as long each time, two minutes at most, half of it by chance', async () => {
    const longest = Array.from({ length: 9 }, (_, i) => retryDelayMs(i + 1, 0) / 1_000)
    expect(longest).toEqual([2, 4, 8, 16, 32, 64, 120, 120, 120])
    expect(retryDelayMs(20, 1)).toBe(60_000)
    await add('t1')
    take(async () => ({ type: 'interrupted', why: 'runner_stopped' }))
    await waitFor('the job to wait for its retry', async () => (await stateOf('t1')) === 'delayed')
    const delay = (await queue.getJob(jobId('t1', 1)))?.delay ?? 0
    expect(delay).toBeGreaterThanOrEqual(1_000)
    expect(delay).toBeLessThanOrEqual(2_000)
  })

  it('asks again later without using up a try', async () => {
    let asked = 0
    await add('t1', { attempts: 1 })
    take(async () => {
      asked += 1
      return asked < 4 ? { type: 'later', afterMs: 50 } : { type: 'done', outcome: 'completed' }
    })
    await waitFor('the job to complete', async () => (await stateOf('t1')) === 'completed')
    expect(asked).toBe(4)
  })

  it('fails a turn that can never run, for good', async () => {
    await add('t1')
    take(async () => ({ type: 'never', why: 'its data is not that of a turn' }))
    await waitFor('the job to fail', async () => (await stateOf('t1')) === 'failed')
    expect((await queue.getJob(jobId('t1', 1)))?.failedReason).toBe('its data is not that of a turn')
  })

  it('works on as many as it has slots, and takes nothing more once paused', async () => {
    let running = 0
    let most = 0
    const gate = new AbortController()
    const one = take(async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((done) => gate.signal.addEventListener('abort', () => done()))
      running -= 1
      return { type: 'done', outcome: 'completed' }
    }, 2)
    for (const id of ['a', 'b', 'c']) await add(id)
    await waitFor('two to run', () => running === 2)
    await one.pause()
    gate.abort()
    await one.close()
    expect(most).toBe(2)
    expect(await queue.getJobCountByTypes('completed')).toBe(2)
    expect(await queue.getJobCountByTypes('waiting')).toBe(1)
  })

  it('leaves turns to others while it is paused, but for one that it was waiting for, and takes again when it is told to', async () => {
    const taken: string[] = []
    const named = (name: string) => async (): Promise<TurnAnswer> => {
      taken.push(name)
      return { type: 'done', outcome: 'completed' }
    }
    const sick = take(named('sick'))
    await add('first')
    await waitFor('the first to complete', async () => (await stateOf('first')) === 'completed')
    await sick.pause()
    const well = take(named('well'))
    for (const id of ['a', 'b', 'c']) await add(id)
    await waitFor('all to complete', async () => (await queue.getJobCountByTypes('completed')) === 4)
    await well.close()
    await sick.resume()
    await add('d')
    await waitFor('the last to complete', async () => (await queue.getJobCountByTypes('completed')) === 5)
    expect(taken.filter((name) => name === 'well').length).toBeGreaterThanOrEqual(2)
    expect(taken.at(-1)).toBe('sick')
  })

  it('closes also while Redis is away', async () => {
    await add('t1')
    let taken = false
    const gate = new AbortController()
    const one = take(async () => {
      taken = true
      await new Promise<void>((done) => gate.signal.addEventListener('abort', () => done()))
      return { type: 'done', outcome: 'completed' }
    })
    await waitFor('the job to be taken', () => taken)
    await redis.kill()
    await one.pause()
    gate.abort()
    await one.close()
    taking.length = 0
    await redis.start()
  })
})
