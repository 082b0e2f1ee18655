import { afterEach, describe, expect, it } from '@jest/globals'
import type { Assignment, SteerMessage } from '../../../contract/wire/sandbox.ts'
import type { Policy, SeenRequest } from '../../support/outside/model-server.ts'
import type { Reply } from '../../support/outside/model-wire.ts'
import { type Errand, type ErrandOptions, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, bash, call, text } from '../policies.ts'

/** 29,000 bytes that are never the same twice. */
const STEP = (n: number) => bash(`echo step ${n} >> steps.txt; seq ${n}00000 ${n}04141`)
const SMALL_WINDOW = 'claude-haiku-5-5'
const SUMMARY = '## Goal\nSixty steps.\n## Next\nGo on counting.'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand({ ...options, assignment: { model: SMALL_WINDOW, ...options.assignment } })
  return errand
}
afterEach(() => errand.stop())

const isSummaryRequest = ({ said }: SeenRequest) => said.includes('replaced by a summary now')
const isWarned = ({ said }: SeenRequest) => said.includes('replaced by a summary soon')

/** A model that works for so many steps, with some calls in each, and writes a summary whenever it is asked for one. */
function worksFor(steps: number, summary: (request: SeenRequest) => Reply = () => answer(text(SUMMARY)), calls = 1): Policy {
  let done = 0
  return (request) => {
    if (isSummaryRequest(request)) return summary(request)
    done += 1
    return done > steps
      ? answer(text('Sixty steps\n\nAll are done.'))
      : answer(text(`Step ${done}.`), ...Array.from({ length: calls }, (_, n) => STEP(calls * done + n)))
  }
}

describe('a conversation that outgrows the model', () => {
  it('goes on from a summary, after one warning, and the task ends done', async () => {
    const waiting: SteerMessage[] = []
    const works = worksFor(60)
    const { run, model, lines } = await start({
      waiting,
      policy: (request) => {
        if (request.index === 3) waiting.push({ messageId: 'm2', text: 'Name it\n\n  exactly so: “Übung” 👩‍💻.' })
        return works(request)
      },
    })
    await run()
    expect(model.refusals).toEqual([])
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done', diff: { files: 1, insertions: 60 } })
    const compacted = eventsOf(lines, 'context.compacted')
    expect(compacted.length).toBeGreaterThanOrEqual(2)
    for (const { beforeTokens, afterTokens, bySummary } of compacted) {
      expect(beforeTokens).toBeGreaterThanOrEqual(150_000)
      expect(beforeTokens).toBeLessThan(180_000)
      expect(afterTokens).toBeLessThan(75_000)
      expect(bySummary).toBe(true)
    }
    // One warning and one request for a summary each, in this order.
    const words = model.requests.flatMap((request) => (isSummaryRequest(request) ? 'summary' : isWarned(request) ? 'warned' : []))
    expect(words).toEqual(compacted.flatMap(() => ['warned', 'summary']).concat(words.length % 2 ? ['warned'] : []))
    expect(lines.filter((line) => line.type === 'delta').some((delta) => 'text' in delta && delta.text.includes('## Goal'))).toBe(
      false,
    )
  })

  it('keeps the words of the person, the plan and the state of the branch, and no old thinking', async () => {
    const waiting: SteerMessage[] = []
    const works = worksFor(25)
    const { run, model } = await start({
      waiting,
      files: { 'AGENTS.md': 'Indent with tabs.\n', 'a.txt': 'a\n' },
      policy: (request) => {
        if (request.index === 3) waiting.push({ messageId: 'm2', text: 'Name it\n\n  exactly so: “Übung” 👩‍💻.' })
        if (request.index === 4) return answer(call('todo', { items: [{ text: 'count on', status: 'doing' }] }))
        return works(request)
      },
    })
    await run()
    const at = model.requests.findIndex(isSummaryRequest)
    const [asked, fresh] = [model.requests[at], model.requests[at + 1]]
    // The summary is asked for in the same conversation: the prefix, tools and all, is the one that is cached.
    expect(asked?.body.tools).toEqual(model.requests[at - 1]?.body.tools)
    expect(asked?.results).toHaveLength(1)
    expect(fresh?.body.messages).toHaveLength(1)
    expect(JSON.stringify(fresh?.body.messages)).not.toContain('"thinking"')
    expect(fresh?.said).toContain('The task:\n\nMake add() add.\n')
    expect(fresh?.said).toContain('A message from the person, sent while you work:\n\nName it\n\n  exactly so: “Übung” 👩‍💻.\n')
    expect(fresh?.said).toContain('Indent with tabs.')
    expect(fresh?.said).toContain(SUMMARY)
    expect(fresh?.said).toContain('?? steps.txt')
    expect(fresh?.said).toContain('[>] count on')
    expect(fresh?.said).not.toContain('replaced by a summary soon')
  })

  it('is told in the next turn, and by the next attempt, from the fresh conversation', async () => {
    const { run, model } = await start({ policy: worksFor(25) })
    await run()
    Object.assign(errand.assignment, {
      hasTranscript: true,
      turn: 2,
      attempt: 2,
      prompt: 'And now?',
    } satisfies Partial<Assignment>)
    errand.freshWorkspace()
    errand.lines.length = 0
    expect(endOf(await run())).toMatchObject({ outcome: 'completed' })
    expect(model.refusals).toEqual([])
    const last = JSON.stringify(model.requests.at(-1)?.body.messages)
    for (const words of ['Make add() add.', 'And now?', 'Go on counting.']) expect(last.split(words)).toHaveLength(2)
  })
})

describe('a summary that fails', () => {
  const mechanical = { beforeTokens: expect.any(Number), afterTokens: expect.any(Number), bySummary: false }

  it.each<[string, Reply]>([
    ['is refused', { content: [], stopReason: 'refusal', stopDetails: { category: 'x' } }],
    ['is empty', answer()],
    ['is a call', answer(bash('echo never > never.txt'))],
    ['is refused as invalid', { status: 400, type: 'invalid_request_error', message: 'messages: no' }],
  ])('because it %s, is replaced by an extract, and nothing of it is run', async (_name, reply) => {
    const { run, model, lines } = await start({ policy: worksFor(9, () => reply, 3) })
    await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done', diff: { files: 1 } })
    expect(eventsOf(lines, 'context.compacted')).toEqual([mechanical])
    const fresh = model.requests[model.requests.findIndex(isSummaryRequest) + 1]
    expect(fresh?.said).toContain('You wrote: Step 5.')
    expect(fresh?.said).toContain('You called bash {"command":"echo step 15 ')
    expect(fresh?.said).toContain('The task:\n\nMake add() add.\n')
  })

  it('is no loss when the model is only away: the conversation stays as it is', async () => {
    const { run, door } = await start({
      policy: worksFor(
        9,
        () => ({
          status: 529,
          type: 'overloaded_error',
          message: 'later',
          headers: { 'x-should-retry': 'false' },
        }),
        3,
      ),
    })
    const lines = await run()
    expect(eventsOf(lines, 'context.compacted')).toEqual([])
    expect(String(door.artifacts.get('transcript')).includes('Step 6.')).toBe(true)
  })
})

describe('an API that finds the prompt too long', () => {
  const tooLong: Reply = {
    status: 400,
    type: 'invalid_request_error',
    message: 'prompt is too long: 200001 tokens > 200000 maximum',
  }

  it.each<[string, Reply]>([
    ['400', tooLong],
    ['413', { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' }],
    ['an answer that fills the window', { content: [text('Now I')], stopReason: 'model_context_window_exceeded' }],
  ])('%s: goes on from an extract, once', async (_name, reply) => {
    const works = worksFor(3)
    let isFirst = true
    const { run, model, lines } = await start({
      policy: (request) => {
        if (request.index < 2 || !isFirst) return works(request)
        isFirst = false
        return reply
      },
    })
    await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done', diff: { files: 1 } })
    expect(eventsOf(lines, 'context.compacted')).toHaveLength(1)
    expect(model.requests[3]?.body.messages).toHaveLength(1)
    expect(model.requests[3]?.said).toContain('You wrote: Step 2.')
  })

  it('again and again: the turn ends with true words, and its work is delivered', async () => {
    const works = worksFor(3)
    const { run, model, lines } = await start({ policy: (request) => (request.index < 2 ? works(request) : tooLong) })
    await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'failed', reason: 'context_exceeded', diff: { files: 1 } })
    expect(endOf(lines).message).toContain('too long for the model')
    expect(model.requests).toHaveLength(4)
  })

  it('is refused by the stand-in as by the API', async () => {
    const { run, model } = await start({ policy: worksFor(0), assignment: { prompt: 'x'.repeat(900_000) } })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'context_exceeded' })
    expect(model.requests).toEqual([])
    expect(model.refusals[0]?.message).toMatch(/^prompt is too long: 22\d{4} tokens > 200000 maximum$/)
  })
})
