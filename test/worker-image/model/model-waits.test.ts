import { afterEach, describe, expect, it } from '@jest/globals'
import { parkedUntil } from '../../../contract/wire/job.ts'
import { CutError, GarbledError, StallError } from '../../../worker-image/model/model-errors.ts'
import { createModelWaiting, nextTry, waitReasonOf } from '../../../worker-image/model/model-waits.ts'
import type { Reply } from '../../support/outside/model-wire.ts'
import { type Errand, type ErrandOptions, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, call, faulty, first, inTurn, mends, SUMMARY, text } from '../policies.ts'

const MINUTE = 60_000
const timing = { backoffMs: 1_000, maxBackoffMs: MINUTE, parkAfterMs: 3 * MINUTE }

describe('what follows a try that failed', () => {
  const after = (change: Partial<Parameters<typeof nextTry>[0]>) =>
    nextTry({ tries: 1, sinceMs: 0, retryAfterMs: null, now: 0, random: 1, ...change }, timing)

  it('is another one after a random time up to a bound that doubles, a minute at most', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8].map((tries) => after({ tries }))
    expect(bounds.map((next) => (next.type === 'pause' ? next.ms : next))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ])
    expect(after({ tries: 8, random: 0 })).toEqual({ type: 'pause', ms: 0 })
  })
  it('keeps the time that the API named, up to three minutes', () => {
    expect(after({ retryAfterMs: 3 * MINUTE, random: 0 })).toEqual({ type: 'pause', ms: 3 * MINUTE })
    expect(after({ retryAfterMs: 8 * MINUTE, now: 5 })).toEqual({ type: 'park', until: new Date(5 + 8 * MINUTE) })
  })
  it('frees the slot when the pauses would take more than three minutes together, or after twenty tries', () => {
    expect(after({ tries: 7, sinceMs: 2 * MINUTE })).toMatchObject({ type: 'pause' })
    expect(after({ tries: 7, sinceMs: 2 * MINUTE + 1 })).toEqual({ type: 'park', until: null })
    expect(after({ tries: 19, random: 0 })).toMatchObject({ type: 'pause' })
    expect(after({ tries: 20, random: 0 })).toEqual({ type: 'park', until: null })
    expect(after({ tries: 2, sinceMs: 2.5 * MINUTE, retryAfterMs: MINUTE })).toEqual({ type: 'park', until: new Date(MINUTE) })
  })
})

describe('when a turn comes back that freed its slot', () => {
  const back = (change: Partial<Parameters<typeof parkedUntil>[0]>) =>
    parkedUntil({ now: 0, asked: null, before: 0, modelWaitMs: 3 * MINUTE, random: 0, ...change }) / MINUTE

  it('waits longer each time, ten minutes at most, and never comes back at once', () => {
    expect([0, 1, 2, 3, 4, 50].map((before) => back({ before, random: 1 }))).toEqual([2, 3, 5, 9, 10, 10])
    expect([0, 1, 50].map((before) => back({ before }))).toEqual([1, 1, 1])
  })
  it('never comes before the time that the API named, and a little after it', () => {
    expect([back({ asked: 8 * MINUTE }), back({ asked: 8 * MINUTE, random: 1 })]).toEqual([8, 10])
    expect(back({ asked: -MINUTE, random: 1 })).toBe(0)
  })
  it('does not bring twenty turns back in one burst', () => {
    for (const asked of [null, 8 * MINUTE]) {
      const times = Array.from({ length: 20 }, () => back({ asked, random: Math.random() }))
      expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(0.5)
    }
  })
})

it('a turn that comes back keeps its slot only for a moment, until the model has answered once', () => {
  const waiting = createModelWaiting({ emit: () => undefined }, { parkAfterMs: 3 * MINUTE, firstMs: 15_000 })
  expect(waiting.parkAfterMs()).toBe(15_000)
  waiting.onAnswering()
  expect(waiting.parkAfterMs()).toBe(3 * MINUTE)
  const fresh = createModelWaiting({ emit: () => undefined }, { parkAfterMs: 3 * MINUTE, firstMs: undefined })
  expect(fresh.parkAfterMs()).toBe(3 * MINUTE)
})

it('says what a try ran into', () => {
  const cases: Array<[unknown, string]> = [
    [{ status: 529, type: 'overloaded_error' }, 'overloaded'],
    [{ type: 'overloaded_error' }, 'overloaded'],
    [{ status: 429, type: 'rate_limit_error' }, 'rate_limited'],
    [{ status: 500, type: 'api_error' }, 'unavailable'],
    [new TypeError('fetch failed'), 'unreachable'],
    [new CutError('cut'), 'unreachable'],
    [new StallError('still'), 'silent'],
    [new GarbledError('twice'), 'garbled'],
  ]
  expect(cases.map(([error]) => waitReasonOf(error))).toEqual(cases.map(([, reason]) => reason))
})

describe('a turn whose model does not answer', () => {
  let errand: Errand
  async function start(options: ErrandOptions) {
    errand = await startErrand(options)
    return errand
  }
  afterEach(() => errand.stop())

  const overloaded: Reply = { status: 529, type: 'overloaded_error', message: 'Overloaded' }
  const writes = call('write', { file_path: 'new.txt', content: 'whole\n' })

  it('reports each wait, and that it is over', async () => {
    const { run } = await start({ policy: first([overloaded, overloaded], mends) })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', summary: SUMMARY })
    expect(eventsOf(lines, 'model.waiting')).toMatchObject([
      { reason: 'overloaded', attempt: 1, until: expect.stringMatching(/^\d{4}-.*Z$/) },
      { reason: 'overloaded', attempt: 2 },
    ])
    expect(eventsOf(lines, 'model.resumed')).toEqual([{ waitedMs: expect.any(Number), answered: true }])
  })

  it('saves its work, names no time of its own, and comes back to the same conversation and branch', async () => {
    const { run, freshWorkspace, model, assignment, door } = await start({
      policy: inTurn(answer(writes), ...Array.from({ length: 20 }, () => overloaded), answer(text('New file'))),
    })
    expect(endOf(await run())).toMatchObject({
      outcome: 'interrupted',
      reason: 'model_waiting',
      message: 'Overloaded',
      diff: { files: 1 },
    })
    expect(endOf(errand.lines).until).toBeUndefined()
    expect(door.artifacts.has('transcript')).toBe(true)
    freshWorkspace()
    Object.assign(assignment, { attempt: 2, hasTranscript: true })
    await run()
    expect(eventsOf(errand.lines, 'turn.ended').at(-1)).toMatchObject({ outcome: 'completed', summary: 'New file' })
    // The file was written once; the second attempt asked from where the first one stood.
    expect(eventsOf(errand.lines, 'tool.started')).toHaveLength(1)
    expect(model.requests.at(-1)?.body.messages).toHaveLength(3)
    expect(model.refusals).toEqual([])
  })

  it('frees its slot at once when the API says to come back later than that', async () => {
    const later: Reply = { status: 429, type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after': '480' } }
    const { run, model } = await start({ policy: () => later })
    const before = Date.now()
    const end = endOf(await run())
    expect(end).toMatchObject({ outcome: 'interrupted', reason: 'model_waiting', message: 'slow down' })
    const waitMs = Date.parse(end.until ?? '') - before
    expect(waitMs).toBeGreaterThanOrEqual(480_000)
    expect(waitMs).toBeLessThan(480_000 + MINUTE)
    expect(model.requests).toHaveLength(1)
  })

  it('does not wait forever for a stream that only pings', async () => {
    const { run, model } = await start({
      policy: () => faulty({ stallAt: 8, pingMs: 20 }, text('I think about it.')),
      timing: { eventMs: 200, parkAfterMs: 300 },
    })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({
      outcome: 'interrupted',
      reason: 'model_waiting',
      message: expect.stringContaining('wrote nothing'),
    })
    expect(eventsOf(lines, 'model.waiting')[0]).toMatchObject({ reason: 'silent' })
    expect(model.requests.length).toBeGreaterThan(1)
  })
})
