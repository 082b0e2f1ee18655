import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { type Journal, openJournal } from '../../../worker-image/conversation/journal.ts'
import { journalLines, readJournal } from '../../../worker-image/conversation/journal-text.ts'
import { steerMessage } from '../../../worker-image/conversation/prompt.ts'
import type { StoredTranscript } from '../../../worker-image/conversation/stored-transcript.ts'
import type { Door } from '../../../worker-image/door/door.ts'
import type { ModelMessage } from '../../../worker-image/model/model-client.ts'
import { waitFor } from '../../support/checks/wait.ts'

function user(...texts: string[]): ModelMessage {
  return { role: 'user', content: texts.map((text) => ({ type: 'text', text })) }
}
function model(text: string): ModelMessage {
  return { role: 'assistant', content: [{ type: 'text', text }] }
}
function conversation(messages: ModelMessage[], change: Partial<StoredTranscript> = {}): StoredTranscript {
  const fixed = { model: 'claude-opus-5-5', system: [{ type: 'text' as const, text: 'You are…' }], tools: [] }
  return { version: 1, turn: 2, turnBase: 'b'.repeat(40), taken: [], ...fixed, messages, ...change }
}

const START = [user('The task'), model('Line one\nline two  é'), user('result')]

describe('the text of a journal', () => {
  it.each([
    ['a conversation', conversation(START, { taken: ['m2'] })],
    ['one that the model declined', conversation([], { declined: true })],
  ])('brings back %s as it was', (_, stored) => {
    expect(readJournal(journalLines(stored).join(''))).toEqual(stored)
  })

  it('changes only at its end when the conversation grows', () => {
    const before = journalLines(conversation(START))
    const after = journalLines(conversation([...START, model('More')], { taken: ['m2'] }))
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
  })

  it('is nothing when it is not whole, or is another text', () => {
    const whole = journalLines(conversation(START)).join('')
    for (let end = 0; end < whole.length; end++) expect(readJournal(whole.slice(0, end))).toBeNull()
    expect(readJournal(JSON.stringify(conversation(START)))).toBeNull()
  })
})

type Put = Parameters<Door['storeTail']>

/** The door as a coordinator behind it keeps things; `answers` come first. */
function startDoor(answers: Array<'refused' | 'later' | 'hang'> = [], undelivered: SteerMessage[] = []) {
  const puts: Put[] = []
  let kept = Buffer.alloc(0)
  const storeTail: Door['storeTail'] = async (...put) => {
    puts.push(put)
    const [, bytes, behind, signal] = put
    const how = answers.shift()
    if (how === 'hang') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return 'later'
    }
    if (how) return how
    const begun = kept.subarray(0, behind?.from ?? 0)
    if (behind && createHash('sha256').update(begun).digest('hex') !== behind.hash) return 'refused'
    kept = Buffer.concat([begun, bytes])
    return 'stored'
  }
  return { puts, kept: () => readJournal(String(kept)), door: { storeTail, undelivered: async () => undelivered } }
}

let journal: Journal | null = null
afterEach(() => journal?.close())
function open({ door }: ReturnType<typeof startDoor>): Journal {
  journal = openJournal({ door, log: () => undefined, everyMs: 5 })
  return journal
}

describe('a journal', () => {
  it('brings the first state at once, and then only what is new', async () => {
    const coordinator = startDoor()
    const { update } = open(coordinator)
    update(conversation(START))
    expect(coordinator.puts).toHaveLength(0)
    await waitFor('the first', () => coordinator.kept())
    const grown = conversation([...START, model('A new answer')])
    update(grown)
    await waitFor('the second', () => coordinator.kept()?.messages.length === 4)
    expect(coordinator.kept()).toEqual(grown)
    const [[, , first], [, bytes, second]] = coordinator.puts as [Put, Put]
    expect([first, second?.from]).toEqual([null, expect.any(Number)])
    expect(String(bytes)).not.toContain('The task')
    expect(bytes.length).toBeLessThan(200)
  })

  it('brings the newest state after one that takes long, and none between', async () => {
    const coordinator = startDoor(['later'])
    const { update } = open(coordinator)
    update(conversation(START))
    for (const text of ['one', 'two', 'three']) update(conversation([...START, model(text)]))
    await waitFor('the newest', () => JSON.stringify(coordinator.kept() ?? '').includes('three'))
    expect(coordinator.puts.map(([, bytes]) => /one"|two"/.test(String(bytes)))).toEqual([false, false])
  })

  it('brings the whole after the end of it was refused, because something else is stored', async () => {
    const coordinator = startDoor()
    const { update } = open(coordinator)
    update(conversation(START))
    await waitFor('the first', () => coordinator.kept())
    coordinator.door.storeTail('journal', Buffer.from('something else'), null, new AbortController().signal)
    const grown = conversation([...START, model('A new answer')])
    update(grown)
    await waitFor('the whole', () => coordinator.kept()?.messages.length === 4)
    expect(coordinator.puts.at(-1)?.[2]).toBeNull()
    expect(coordinator.kept()).toEqual(grown)
  })

  it('is without the messages that the model has not got: the next attempt is handed them again', async () => {
    const coordinator = startDoor([], [{ messageId: 'm3', text: 'In French' }])
    const last = user('result', steerMessage('In French'))
    open(coordinator).update(conversation([...START.slice(0, 2), last], { taken: ['m2', 'm3'] }))
    await waitFor('the journal', () => coordinator.kept())
    expect(coordinator.kept()).toMatchObject({ taken: ['m2'], messages: [{}, {}, { content: [{ text: 'result' }] }] })
  })

  it('that is closed waits for nobody', async () => {
    const coordinator = startDoor(['hang'])
    const { update, close } = open(coordinator)
    update(conversation(START))
    await waitFor('the upload', () => coordinator.puts.length === 1)
    await close()
    update(conversation([...START, model('late')]))
    await close()
    expect(coordinator.puts).toHaveLength(1)
  })
})
