import { afterEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../../support/checks/wait.ts'
import type { Message } from '../../support/outside/model-strictness.ts'
import type { Reply, StreamFault } from '../../support/outside/model-wire.ts'
import { type Errand, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, bash, faulty, inTurn, text } from '../policies.ts'

let errand: Errand
afterEach(() => errand.stop())

/** What the person has read when the answer is stopped. */
const READ = 'All of it was read. '.repeat(1_350)
/** `message_start`, a ping, four events of thinking, the beginning of the text, and its first half: there the stream hangs. */
const AFTER_HALF: StreamFault = { stallAt: 8, pingMs: 20 }

async function startWith(...replies: Reply[]) {
  errand = await startErrand({ policy: inTurn(...replies) })
  return errand
}

/** Lets the agent run until the person has read `chars`, and cancels. */
async function cancelAfter(chars: number) {
  const running = errand.run()
  const read = () => errand.lines.reduce((sum, line) => (line.type === 'delta' ? sum + line.text.length : sum), 0)
  await waitFor('the person to have read it', () => read() >= chars)
  errand.cancel()
  return running
}

async function nextTurn(change = { turn: 2 }) {
  Object.assign(errand.assignment, { hasTranscript: true, attempt: 2, prompt: 'Be brief.', messageId: 'm2', ...change })
  errand.freshWorkspace()
  errand.lines.length = 0
  return errand.run()
}

/** A long text would fill the screen when a test fails. */
function brief(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(READ, 'READ'))
}

/** The newest messages in the first request of the turn that follows. */
function lastMessages(count: number, request = 1): Message[] {
  return errand.model.requests[request]?.body.messages.slice(-count) ?? []
}

describe('an answer that is stopped after 27,000 characters', () => {
  it('stays in the history, marked as cut', async () => {
    await startWith(faulty(AFTER_HALF, text(READ + READ)))
    const lines = await cancelAfter(READ.length)
    expect(brief(eventsOf(lines, 'text.written'))).toEqual([{ text: 'READ', cutOff: true }])
    expect(brief(endOf(lines))).toMatchObject({ outcome: 'cancelled', summary: 'READ' })
  })

  it('is in the next request as it was read, and is said to be cut', async () => {
    await startWith(faulty(AFTER_HALF, text(READ + READ)), answer(text('Briefly: done.')))
    await cancelAfter(READ.length)
    await nextTurn()
    const [cut, next] = lastMessages(2)
    expect(brief(cut)).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'READ' }] })
    expect(next?.content[0]?.text).toMatch(/^Errand: your answer above ends in the middle/)
    expect(JSON.stringify(next)).toContain('The next message:\\n\\nBe brief.')
    expect(errand.model.refusals).toEqual([])
  })

  it('goes on from there when the same turn is tried again', async () => {
    await startWith(faulty(AFTER_HALF, text(READ + READ)), answer(text('And the rest.')))
    await cancelAfter(READ.length)
    await nextTurn({ turn: 1 })
    expect(brief(lastMessages(2)[0]?.content)).toEqual([{ type: 'text', text: 'READ' }])
    expect(JSON.stringify(lastMessages(1))).toContain('your turn was interrupted')
    expect(errand.model.refusals).toEqual([])
  })
})

describe('of an answer that is stopped', () => {
  it('a call that was not whole is left out, and so is its thinking', async () => {
    const call = { type: 'tool_use', name: 'bash', json: '{"command":"rm -rf x"}' } as const
    // The text is whole; of the call, the first half has come.
    await startWith(faulty({ stallAt: 13, pingMs: 20 }, text('I delete it.'), call), answer(text('I did not.')))
    const lines = await cancelAfter('I delete it.'.length)
    expect(eventsOf(lines, 'tool.started')).toEqual([])
    await nextTurn()
    expect(lastMessages(2)[0]?.content).toEqual([{ type: 'text', text: 'I delete it.' }])
    expect(JSON.stringify(lastMessages(1))).toContain('No call of it was run')
    expect(errand.model.refusals).toEqual([])
  })

  it('nothing is kept when nothing was written', async () => {
    await startWith(answer(bash('true')), faulty({ stallAt: 6, pingMs: 20 }, text('never seen')), answer(text('Briefly.')))
    const running = errand.run()
    await waitFor('the second call', () => errand.model.requests.length === 2)
    errand.cancel()
    expect(eventsOf(await running, 'text.written')).toEqual([])
    await nextTurn()
    expect(JSON.stringify(lastMessages(1, 2))).not.toContain('ends in the middle')
    expect(errand.model.refusals).toEqual([])
  })

  it('the time limit is told as what it is', async () => {
    await startWith(faulty(AFTER_HALF, text('Half of it. Half of it. ')), answer(text('Briefly.')))
    errand.assignment.timeLimitMs = 6_000
    expect(endOf(await errand.run())).toMatchObject({ outcome: 'failed', reason: 'time_exceeded', summary: 'Half of it. ' })
    await nextTurn()
    expect(lastMessages(1)[0]?.content[0]?.text).toContain('the time of the turn was used up')
    expect(errand.model.refusals).toEqual([])
  })

  it('what a fault of the model API cut is dropped as before, although the turn is cancelled later', async () => {
    await startWith(faulty({ cutAt: 8 }, text('Dropped. Dropped.')), faulty(AFTER_HALF, text(READ + READ)))
    const lines = await cancelAfter(READ.length)
    expect(brief(eventsOf(lines, 'text.written'))).toEqual([{ text: 'READ', cutOff: true }])
  })
})
