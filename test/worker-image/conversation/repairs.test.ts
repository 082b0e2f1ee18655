import { afterEach, describe, expect, it } from '@jest/globals'
import type { Policy } from '../../support/outside/model-server.ts'
import type { Reply } from '../../support/outside/model-wire.ts'
import { type Errand, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, bash, inTurn, text } from '../policies.ts'

let errand: Errand
afterEach(() => errand.stop())

async function start(options: Parameters<typeof startErrand>[0]) {
  errand = await startErrand(options)
  return errand
}

/** The next message of the task, in a sandbox of its own. */
async function next(turn: number, prompt: string) {
  Object.assign(errand.assignment, { hasTranscript: true, turn, attempt: turn, prompt, messageId: `m${turn}` })
  errand.lines.length = 0
  errand.freshWorkspace()
  return errand.run()
}

const MARK = 'XYZZY'
const PRINTS = 'printf X; echo YZZY'
const done = answer(text('Nothing to do.'))

function refused(message: string): Reply {
  return { status: 400, type: 'invalid_request_error', message }
}
function bodyOf(request: Parameters<Policy>[0]): string {
  return JSON.stringify(request.body.messages)
}
function notes(lines: Parameters<typeof eventsOf>[0]): string[] {
  return eventsOf(lines, 'note.written').map(({ text: words }) => words)
}
function lastBody(): string {
  return JSON.stringify(errand.model.requests.at(-1)?.body.messages)
}

/** Refuses what the policy cannot know in advance, as the API may do for reasons of its own. */
function refusing(message: (request: Parameters<Policy>[0]) => string | null, policy: Policy): Policy {
  return (request) => {
    const words = message(request)
    return words === null ? policy(request) : refused(words)
  }
}

describe('a block that the API refuses', () => {
  it('and names becomes a sentence; the person reads a note, the work goes on, and so does the next message', async () => {
    const { run, model } = await start({
      policy: refusing(
        (request) => (bodyOf(request).includes(MARK) ? 'messages.2.content.1.tool_result.content.0.text: bad text' : null),
        inTurn(answer(bash('echo first'), bash(PRINTS), bash('echo third')), done),
      ),
    })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed' })
    expect(notes(lines)).toEqual([expect.stringContaining('refused the result of a call')])
    expect(model.requests[2]?.results.map(({ text: words }) => /first|bad text|third/.exec(words)?.[0])).toEqual([
      'first',
      'bad text',
      'third',
    ])
    expect(endOf(await next(2, 'And now?'))).toMatchObject({ outcome: 'completed' })
    expect(model.refusals).toEqual([])
  })

  it('and does not name is found: what is beside it stays', async () => {
    const { run, model } = await start({
      policy: refusing(
        (request) => (bodyOf(request).includes(MARK) ? 'Could not process the request' : null),
        inTurn(answer(bash('echo first'), bash(PRINTS), bash('echo third')), done),
      ),
    })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed' })
    expect(notes(lines)).toHaveLength(1)
    expect(lastBody()).toContain('first')
    expect(lastBody()).toContain('third')
    expect(endOf(await next(2, 'And now?'))).toMatchObject({ outcome: 'completed' })
    expect(model.refusals).toEqual([])
  })

  it('is thinking, in whatever words: it goes, once, and nothing else', async () => {
    for (const words of ['messages.1.content.0: the seal is broken', 'The reasoning is not from here']) {
      const { run, model } = await start({
        policy: refusing(
          (request) => (bodyOf(request).includes('"sig_1"') ? words : null),
          inTurn(answer(bash('echo first')), done),
        ),
      })
      const lines = await run()
      expect(endOf(lines)).toMatchObject({ outcome: 'completed' })
      expect(notes(lines)).toEqual([])
      expect(lastBody()).toContain('first')
      expect(model.refusals).toEqual([])
      await errand.stop()
    }
    await start({ policy: () => done })
  })
})

describe('a conversation that the API no longer takes at all', () => {
  it('begins anew by itself with what is known, and says so to model and person', async () => {
    const { run, model } = await start({
      policy: refusing(
        ({ body }) => (body.messages.length > 1 && !JSON.stringify(body.messages[0]).includes('no longer accepts') ? 'no' : null),
        inTurn(answer(text('I look.'), bash('echo one > one.txt')), answer(bash('cat one.txt')), answer(text('It is there.'))),
      ),
    })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', summary: 'It is there.' })
    expect(notes(lines)).toEqual([expect.stringContaining('A fresh one continues')])
    expect(lastBody()).toContain('The task:\\n\\nMake add() add.')
    expect(lastBody()).toContain('one.txt')
    expect(endOf(await next(2, 'And now?'))).toMatchObject({ outcome: 'completed' })
    expect(model.refusals).toEqual([])
  })

  it('ends with words when even a fresh one is refused, after a bounded number of calls', async () => {
    const { run, model } = await start({
      policy: refusing(
        ({ body }) => (body.messages.length > 1 || model.requests.length > 1 ? 'no' : null),
        inTurn(answer(bash('ls'))),
      ),
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'model_request_invalid' })
    expect(model.requests.length).toBeLessThan(40)
  })
})

describe('an answer that the model declines to give', () => {
  const declines: Reply = {
    content: [text('I cannot.')],
    stopReason: 'refusal',
    stopDetails: { type: 'refusal', category: 'cyber' },
  }
  const whenMarked =
    (policy: Policy): Policy =>
    (request) =>
      bodyOf(request).includes(MARK) ? declines : policy(request)

  it('leaves the conversation with what led to it: the next message works, and the person reads why and what to do', async () => {
    const { run, model } = await start({ policy: whenMarked(inTurn(answer(bash(PRINTS)), done)) })
    const end = endOf(await run())
    expect(end).toMatchObject({ outcome: 'failed', reason: 'model_refused' })
    expect(end.message).toMatch(/declined to answer: .*computers.*Send a message/)
    expect(end.message).not.toMatch(/[{}"]/)
    expect(endOf(await next(2, 'Only fix the typo in README.'))).toMatchObject({ outcome: 'completed' })
    expect(lastBody()).toContain('Only fix the typo')
    expect(lastBody()).toContain('this exchange was left out')
    expect(lastBody()).not.toContain(MARK)
    expect(model.refusals).toEqual([])
  })

  it('to the task itself: the next message begins a fresh conversation without it', async () => {
    const { run, model } = await start({ policy: whenMarked(() => done), assignment: { prompt: `Do ${MARK}.` } })
    expect(endOf(await run())).toMatchObject({ reason: 'model_refused' })
    expect(endOf(await next(2, 'Only fix the typo in README.'))).toMatchObject({ outcome: 'completed' })
    expect(lastBody()).toContain('The task:\\n\\nOnly fix the typo')
    expect(lastBody()).not.toContain(MARK)
    expect(model.refusals).toEqual([])
  })

  it('because of earlier turns: the message is tried again without them, and the person is told', async () => {
    let isStrict = false
    const { run, model } = await start({
      policy: (request) => (isStrict && bodyOf(request).includes(MARK) ? declines : done),
      assignment: { prompt: `Do ${MARK}.` },
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed' })
    isStrict = true
    const lines = await next(2, 'Only fix the typo in README.')
    expect(endOf(lines)).toMatchObject({ outcome: 'completed' })
    expect(notes(lines)).toEqual([expect.stringContaining('fresh one')])
    expect(model.refusals).toEqual([])
  })
})
