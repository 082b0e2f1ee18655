import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { ApiUsage } from '../../contract/shared/models.ts'
import type { Call } from '../../runner/gateway/endpoint.ts'
import { callModel } from '../../runner/gateway/model/model-call.ts'
import type { Reading } from '../../runner/gateway/model/usage-meter.ts'
import { type Answer, createAnswerReader } from '../../worker-image/model/model-answer.ts'
import { createModelClient, type ModelEvent } from '../../worker-image/model/model-client.ts'
import { CutError, classify, GarbledError } from '../../worker-image/model/model-errors.ts'
import { type Chance, FUZZ_TIMEOUT_MS, fuzz } from '../support/scripted/fuzz.ts'

type Json = Record<string, unknown>

const NASTY = ['', '\n', '\r\n', 'data: {"type":"message_stop"}\n\n', 'event: error', '"', '\\', '\u2028', '👩‍💻', 'é', '\u0000', ': ping', '{"a":1}'] // biome-ignore format: a table

function words({ between, pick }: Chance): string {
  return Array.from({ length: between(0, 5) }, () => pick([...NASTY, 'word '])).join('')
}

/** An answer and the events that bring it, as the model API writes them. */
type Script = { events: Json[]; text: string; inputs: unknown[]; usage: ApiUsage }

function script(chance: Chance): Script {
  const { between, pick } = chance
  const texts: string[] = []
  const inputs: unknown[] = []
  const usage = {
    input_tokens: between(0, 9999),
    cache_read_input_tokens: between(0, 9999),
    cache_creation_input_tokens: between(0, 999),
  }
  const output = between(1, 9999)
  const blocks = Array.from({ length: between(0, 5) }, (_, index) => {
    const delta = (value: Json) => ({ type: 'content_block_delta', index, delta: value })
    const start = (content_block: Json) => ({ type: 'content_block_start', index, content_block })
    const inner = pick([
      () => {
        const parts = Array.from({ length: between(0, 3) }, () => words(chance))
        texts.push(parts.join(''))
        return [start({ type: 'text', text: '', citations: null }), ...parts.map((text) => delta({ type: 'text_delta', text }))]
      },
      () => [
        start({ type: 'thinking', thinking: '', signature: '' }),
        delta({ type: 'thinking_delta', thinking: words(chance) }),
        delta({ type: 'signature_delta', signature: `sig_${index}` }),
      ],
      () => {
        const input = Object.fromEntries(Array.from({ length: between(0, 3) }, (_, n) => [`k${n}`, words(chance)]))
        inputs.push(input)
        const json = JSON.stringify(input)
        const cut = between(0, json.length)
        const pieces = ['', json.slice(0, cut), json.slice(cut)]
        const tool = start({ type: 'tool_use', id: `toolu_${index}`, name: 'bash', input: {} })
        return [tool, ...pieces.map((partial_json) => delta({ type: 'input_json_delta', partial_json }))]
      },
    ])()
    return [...inner, { type: 'content_block_stop', index }]
  })
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    usage: { ...usage, output_tokens: 1 },
  }
  const events: Json[] = [
    { type: 'message_start', message },
    ...blocks.flat(),
    {
      type: 'message_delta',
      delta: { stop_reason: inputs.length > 0 ? 'tool_use' : 'end_turn' },
      usage: { output_tokens: output, input_tokens: null },
    },
    { type: 'message_stop' },
  ]
  const text = texts.filter((one) => one !== '').join('\n\n')
  return { events, text, inputs, usage: { ...usage, output_tokens: output } }
}

/** Server-sent events, with comments, pings and unknown events in between. */
function streamOf(events: readonly Json[], { percent, pick }: Chance): Buffer {
  const newline = pick(['\n', '\n', '\r\n'])
  const lines = events.flatMap((event) => {
    const extra = percent(10)
      ? pick([
          [': a comment', ''],
          ['event: ping', 'data: {"type":"ping"}', ''],
          ['event: new', 'data: {"type":"new"}', ''],
        ])
      : []
    return [...extra, `event: ${event.type}`, `data: ${JSON.stringify(event)}`, '']
  })
  return Buffer.from(lines.map((line) => `${line}${newline}`).join(''))
}

/** Events with one changed: a field gone, of another type, or the event twice, left out or elsewhere. */
function distorted(events: readonly Json[], { between, pick }: Chance): Json[] {
  const at = between(0, events.length - 1)
  const event = structuredClone(events[at] as Json)
  const others = events.toSpliced(at, 1)
  return pick([
    () => others,
    () => events.toSpliced(at, 0, event),
    () => others.toSpliced(between(0, others.length), 0, event),
    () => {
      let place = event
      for (let depth = between(0, 2); depth > 0; depth -= 1) {
        const inner = Object.values(place).find((value) => typeof value === 'object' && value !== null)
        if (inner) place = inner as Json
      }
      const key = pick(Object.keys(place))
      if (key !== undefined) place[key] = pick([undefined, null, 7, -1, 'x', [], {}, [null], true])
      return events.with(at, event)
    },
  ])()
}

const fetchBefore = globalThis.fetch
const writeBefore = process.stderr.write
beforeEach(() => {
  // The SDK reports each line that is no JSON.
  process.stderr.write = () => true
})
afterEach(() => {
  globalThis.fetch = fetchBefore
  process.stderr.write = writeBefore
})

type Reader = typeof createAnswerReader

/** The agent's way: the SDK's client on a stream in pieces, and the reader of answers. */
async function readAnswer(
  pieces: readonly Buffer[],
  createReader: Reader,
): Promise<{ answer: Answer; live: string } | { error: unknown }> {
  globalThis.fetch = async () =>
    new Response(
      new ReadableStream({
        start: (controller) => {
          for (const piece of pieces) if (piece.length > 0) controller.enqueue(new Uint8Array(piece))
          controller.close()
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )
  let live = ''
  const reader = createReader((text) => {
    live += text
  })
  const client = createModelClient({ url: 'http://127.0.0.1:9', token: 't' })
  const request = { model: 'm', max_tokens: 1, messages: [] }
  try {
    const events: AsyncIterable<ModelEvent> = await client(request, { signal: new AbortController().signal, onBytes: () => {} })
    for await (const event of events) reader.add(event)
    return { answer: reader.finish(), live }
  } catch (error) {
    reader.estimate()
    return { error }
  }
}

/** The gateway's way: the relay of an answer. @returns what it passed on, and what it read of the cost */
async function relay(pieces: readonly Buffer[], cut: boolean): Promise<{ passed: Buffer; reading: Reading | null }> {
  const found = Object.assign(new PassThrough(), { statusCode: 200, headers: { 'content-type': 'text/event-stream' } })
  const passed: Buffer[] = []
  const response = {
    writeHead: () => {},
    flushHeaders: () => {},
    write: (bytes: Buffer) => passed.push(Buffer.from(bytes)) > 0,
    end: (bytes?: string) => void passed.push(Buffer.from(bytes ?? '')),
    destroy: () => {},
  }
  const call = { request: { headers: {} }, response, path: '', query: '', gone: new AbortController().signal } as unknown as Call
  const upstream = { call: async () => found as never, close: () => {} }
  const log = pino({ level: 'silent' })
  const reading = callModel({ baseUrl: '', key: '', upstream, log }, call, Buffer.alloc(0), () => {})
  for (const piece of pieces) found.write(piece)
  if (!cut) found.end()
  else setImmediate(() => setImmediate(() => found.destroy(new Error('cut'))))
  return { reading: await reading, passed: Buffer.concat(passed) }
}

const pick = ({ usage, whole, failed, writtenBytes }: Reading) => ({ usage, whole, failed, writtenBytes })

async function tryWhole(chance: Chance, createReader: Reader): Promise<void> {
  const { events, text, inputs, usage } = script(chance)
  const stream = streamOf(events, chance)
  const read = await readAnswer(chance.pieces(stream), createReader)
  if ('error' in read) throw read.error
  expect(read.answer.text).toBe(text)
  expect(read.live).toBe(text)
  expect(read.answer.calls.map(({ input, problem }) => ({ input, problem }))).toEqual(
    inputs.map((input) => ({ input, problem: null })),
  )
  expect(read.answer.usage).toMatchObject(usage)
  const { passed, reading } = await relay(chance.pieces(stream), false)
  expect(passed.equals(stream)).toBe(true)
  expect(reading).toMatchObject({ usage, whole: true, failed: false })
}

/** A stream that ends anywhere is no answer, and ends with an error for whoever reads it behind the gateway. */
async function tryCut(chance: Chance): Promise<void> {
  const { events } = script(chance)
  const stream = streamOf(events, chance)
  const end = chance.between(0, stream.indexOf('data: {"type":"message_stop"}'))
  const { passed, reading } = await relay(chance.pieces(stream.subarray(0, end)), true)
  expect(reading?.whole).toBe(false)
  expect(passed.toString()).toMatch(/event: error\ndata: \{"type":"error".*\}\n\n$/)
  const lines = passed.subarray(0, passed.lastIndexOf('event: error'))
  expect(stream.subarray(0, lines.length).equals(lines) || lines.at(-1) === 10).toBe(true)
  const read = await readAnswer(chance.pieces(passed), createAnswerReader)
  expect(read).toHaveProperty('error')
  // It is tried again: the cut is neither the agent's fault nor an answer.
  if ('error' in read) expect(['retry', 'garbled']).toContain(classify(read.error).kind)
}

/** What is not the API's is refused in words of ours, or read the same wherever it is cut. */
async function tryNoise(chance: Chance): Promise<void> {
  const { events } = script(chance)
  const stream = streamOf(chance.percent(60) ? distorted(events, chance) : events, chance)
  const bytes = chance.percent(40) ? chance.damaged(stream) : stream
  const [one, two] = [await readAnswer(chance.pieces(bytes), createAnswerReader), await readAnswer([bytes], createAnswerReader)]
  expect('error' in one).toBe('error' in two)
  if ('answer' in one && 'answer' in two) {
    expect(one.answer).toEqual(two.answer)
    expectUsable(one.answer)
  }
  if ('error' in one) expectKnown(one.error)
  const [left, right] = [await relay(chance.pieces(bytes), false), await relay([bytes], false)]
  expect(left.passed.equals(bytes)).toBe(true)
  expect(left.reading && pick(left.reading)).toEqual(right.reading && pick(right.reading))
}

/** Never the accident of a line of ours. */
function expectKnown(error: unknown): void {
  const isOurs = error instanceof CutError || error instanceof GarbledError
  const isSdks = error instanceof Error && /Anthropic|API|SyntaxError/.test(`${error.constructor.name} ${error.name}`)
  if (!isOurs && !isSdks) throw error
}

/** @throws Error when the answer would be refused as a part of the next request, or its numbers are none */
function expectUsable({ content, calls, usage }: Answer): void {
  for (const value of Object.values(usage))
    if (value !== null && typeof value !== 'object') expect(Number(value)).toBeGreaterThanOrEqual(0)
  for (const call of calls) expect(typeof call.id === 'string' && typeof call.name === 'string').toBe(true)
  for (const block of content) if (block.type === 'text') expect(typeof block.text).toBe('string')
}

it(
  'an answer is the same wherever its stream is cut, and a stream that is none is refused',
  async () => {
    const tried = await fuzz(async (chance) => {
      await tryWhole(chance, createAnswerReader)
      await tryCut(chance)
      await tryNoise(chance)
    })
    expect(tried).toBeGreaterThan(5)
  },
  FUZZ_TIMEOUT_MS,
)

it(
  'finds a planted fault: a reader that trims the pieces of a text',
  async () => {
    const planted: Reader = (onText) => {
      const reader = createAnswerReader(onText)
      const trimmed = (event: ModelEvent): ModelEvent =>
        event.type === 'content_block_delta' && event.delta.type === 'text_delta'
          ? { ...event, delta: { ...event.delta, text: event.delta.text.trimEnd() } }
          : event
      return { ...reader, add: (event) => reader.add(trimmed(event)) }
    }
    await expect(fuzz((chance) => tryWhole(chance, planted), 30)).rejects.toThrow(
      /FUZZ_SEED=\d+ failed: (Error|JestAssertionError): .*expect\(/s,
    )
  },
  FUZZ_TIMEOUT_MS,
)
