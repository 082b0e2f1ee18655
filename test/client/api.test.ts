import { describe, expect, it } from '@jest/globals'
import { createApi, type Line, type Words } from '../../client/api/api.ts'
import { ApiError, isAway, isPassing } from '../../client/api/api-error.ts'
import { ENDPOINTS } from '../../contract/api/endpoints.ts'

const WORDS: Words = {
  noAnswer: () => 'no answer',
  lost: () => 'lost',
  foreign: (status) => `foreign ${status}`,
  unreadable: 'unreadable',
}
const EVENT = { taskId: 'tsk_1', seq: 1, attempt: 1, at: '2026-01-01T00:00:00.000Z' }
const PUSHED = { ...EVENT, type: 'branch.pushed', data: { branch: 'errand/x', commit: 'abc' } }
const MESSAGE = {
  id: 'm',
  taskId: 'tsk_1',
  clientId: 'c',
  text: 'hello',
  mode: 'queue',
  state: 'waiting',
  turn: null,
  createdAt: '2026-01-01T00:00:00.000Z',
}

/** A client of a server that answers as it is told. */
function clientOf(answer: () => Response | Promise<Response>, line: Partial<Line> = {}) {
  const sent: { address: string; method: string; body: unknown }[] = []
  const api = createApi({
    send: async (address, { method, body }) => {
      sent.push({ address, method, body: body === undefined ? undefined : JSON.parse(body) })
      return answer()
    },
    endpoints: async () => ENDPOINTS,
    words: WORDS,
    ...line,
  })
  return { api, sent }
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
}

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ApiError)) throw new Error(`no ApiError was thrown: ${String(error)}`)
  return error
}

describe('a call of the API', () => {
  it('goes to the address that the contract names, with its parameters, query and body', async () => {
    const { api, sent } = clientOf(() => json({ items: [], nextCursor: null }))
    await api.listTasks({ status: 'failed', search: 'a b', limit: 5 })
    const { api: other, sent: toOther } = clientOf(() => json(MESSAGE, 201))
    await other.withdrawMessage('tsk_1', 'a/b')
    await other.sendMessage('tsk_1', { text: 'hello', mode: 'queue', clientId: 'c' })
    expect([...sent, ...toOther]).toEqual([
      { method: 'GET', address: '/api/tasks?status=failed&search=a+b&limit=5', body: undefined },
      { method: 'DELETE', address: '/api/tasks/tsk_1/messages/a%2Fb', body: undefined },
      { method: 'POST', address: '/api/tasks/tsk_1/messages', body: { text: 'hello', mode: 'queue', clientId: 'c' } },
    ])
  })

  it('answers nothing where there is nothing, and bytes as they come', async () => {
    expect(await clientOf(() => new Response(null, { status: 204 })).api.deleteProject('p')).toBeUndefined()
    const patch = await clientOf(() => new Response('diff --git')).api.downloadDiff('tsk_1')
    expect(await patch.text()).toBe('diff --git')
  })

  it('passes fields and types of event that it does not know', async () => {
    const later = { ...EVENT, seq: 2, type: 'moon.landed', data: { crater: 7 }, extra: true }
    const more = { ...PUSHED, data: { ...PUSHED.data, force: false }, extra: 1 }
    const { api } = clientOf(() => json({ events: [more, later], lastSeq: 2, more: false, extra: 1 }))
    expect((await api.listEvents('tsk_1')).events).toEqual([more, later])
  })

  it.each([
    ['an event without the data of its type', { events: [{ ...PUSHED, data: { branch: 1 } }], lastSeq: 1, more: false }],
    ['an event without a number', { events: [{ ...PUSHED, seq: undefined }], lastSeq: 1, more: false }],
    ['a page without events', { lastSeq: 1, more: false }],
    ['a list', []],
  ])('refuses %s, says so in plain words, and tells the log where', async (_what, answer) => {
    const logged: unknown[] = []
    const asThrown = (error: ApiError) => {
      logged.push(error.cause)
      return error
    }
    const error = await failureOf(clientOf(() => json(answer), { asThrown }).api.listEvents('tsk_1'))
    expect([error.code, error.message, isPassing(error), isAway(error)]).toEqual(['unreadable', 'unreadable', false, false])
    expect(logged).toEqual([expect.objectContaining({ issues: expect.any(Array) })])
  })

  it('gives the words of the server for what it refuses', async () => {
    const refusal = { error: { code: 'conflict', message: 'It has ended.', requestId: 'r-1' } }
    const error = await failureOf(clientOf(() => json(refusal, 409)).api.cancelTask('tsk_1'))
    expect(error).toMatchObject({ code: 'conflict', message: 'It has ended.', requestId: 'r-1', status: 409 })
  })

  it.each<[what: string, answer: () => Response | Promise<Response>, code: string, message: string]>([
    ['no answer', () => Promise.reject(new TypeError('fetch failed')), 'unreachable', 'no answer'],
    ['a page of a hotel', () => new Response('<html>', { status: 200 }), 'unreachable', 'foreign 200'],
    ['a proxy without its server', () => new Response('bad gateway', { status: 502 }), 'unreachable', 'foreign 502'],
    ['a proxy that wants a sign-in', () => new Response('', { status: 401 }), 'unauthorized', 'foreign 401'],
    ['a proxy that finds it too large', () => new Response('', { status: 413 }), 'too_large', 'foreign 413'],
    ['an answer that breaks off', () => new Response(broken()), 'unreachable', 'lost'],
  ])('says what is wrong after %s', async (_what, answer, code, message) => {
    expect(await failureOf(clientOf(answer).api.findMe())).toMatchObject({ code, message })
  })

  it('asks at once, and waits with the answer until the schemas are there', async () => {
    let arrive: (endpoints: typeof ENDPOINTS) => void = () => {}
    const endpoints = new Promise<typeof ENDPOINTS>((resolve) => {
      arrive = resolve
    })
    const { api, sent } = clientOf(() => json({ github: true }), { endpoints: () => endpoints })
    const asked = api.findSignInWays()
    expect(sent).toHaveLength(1)
    arrive(ENDPOINTS)
    expect(await asked).toEqual({ github: true })
  })

  it('counts as unanswered when the schemas cannot be had, and the next call asks for them again', async () => {
    let tries = 0
    const endpoints = async () => {
      tries += 1
      if (tries < 3) throw new TypeError('Failed to fetch dynamically imported module')
      return ENDPOINTS
    }
    const { api } = clientOf(() => json({ github: true }), { endpoints })
    expect(await failureOf(api.findSignInWays())).toMatchObject({ code: 'unreachable', message: 'no answer' })
    expect(await api.findSignInWays()).toEqual({ github: true })
  })
})

function broken(): ReadableStream {
  return new ReadableStream({
    pull: (controller) => controller.error(new TypeError('terminated')),
  })
}
