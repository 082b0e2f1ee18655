import { afterEach, describe, expect, it } from '@jest/globals'
import { UNCONFIRMED } from '../../../../contract/wire/names.ts'
import { TIMING } from '../../../../worker-image/model/ask-model.ts'
import { classify } from '../../../../worker-image/model/model-errors.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { BODY, type ModelDoor, openModelDoor } from './model-door.ts'
import { sendStream, streamOf } from './model-upstream.ts'

type Waiting = { gone: AbortSignal; atMostMs: number; decide: (isOurs: boolean) => void }

let at: ModelDoor
let waiting: Waiting[]
afterEach(() => at.close())

/** A door at which every call waits for the test's word on the lease. */
async function open(budgetUsd = 5) {
  waiting = []
  const awaitLease: Parameters<typeof openModelDoor>[2] = {
    awaitLease: (gone, atMostMs) =>
      new Promise((decide) => {
        waiting.push({ gone, atMostMs, decide })
        gone.addEventListener('abort', () => decide(false))
      }),
  }
  at = await openModelDoor((response) => sendStream(response, streamOf('hello')), { budgetUsd }, awaitLease)
}
async function nextWaiting() {
  await waitFor('a call to wait', () => waiting.length > 0)
  return waiting.shift() as Waiting
}

describe('a model call when the lease has run out', () => {
  it('is held back until the lease is renewed, and then made as if nothing had been', async () => {
    await open()
    const asked = at.ask(BODY)
    const { decide } = await nextWaiting()
    expect(at.upstream.seen).toEqual([])
    decide(true)
    const response = await asked
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('hello')])
    expect(await at.waitForCount()).toMatchObject({ estimated: false })
  })

  it('is answered, before its caller gives it up, with what the agent tries again; it costs nothing and holds no money', async () => {
    // One such call fits, and not two.
    await open(0.003)
    const failing = at.client().messages.create({ ...BODY, stream: true, messages: [{ role: 'user', content: 'hi' }] })
    const { atMostMs, decide } = await nextWaiting()
    expect(atMostMs).toBeLessThan(TIMING.firstByteMs)
    decide(false)
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 503, type: 'overloaded_error' })
    expect(classify(error)).toMatchObject({ kind: 'retry' })
    expect([at.upstream.seen, at.counted()]).toEqual([[], []])

    const again = at.ask(BODY)
    ;(await nextWaiting()).decide(true)
    expect((await again).status).toBe(200)
    expect((await at.waitForCount()).costUsd).toBeGreaterThan(0)
  })

  it('is not taken for one when the model API answers with the status that only the door has', async () => {
    at = await openModelDoor((response) => response.writeHead(UNCONFIRMED).end())
    expect((await at.ask(BODY)).status).toBe(502)
  })

  it('is forgotten when its caller leaves, and its place is free', async () => {
    await open()
    const leave = new AbortController()
    for (const _ of [1, 2]) {
      const left = fetch(`${at.door.url}/llm/v1/messages`, {
        method: 'POST',
        headers: at.door.headers,
        body: JSON.stringify(BODY),
        signal: leave.signal,
      })
      left.catch(() => undefined)
    }
    const gone = [(await nextWaiting()).gone, (await nextWaiting()).gone]
    leave.abort()
    await waitFor('both to be gone', () => gone.every(({ aborted }) => aborted))
    const next = at.ask(BODY)
    ;(await nextWaiting()).decide(true)
    expect((await next).status).toBe(200)
    expect(at.upstream.seen).toHaveLength(1)
  })
})
