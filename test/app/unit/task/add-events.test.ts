import { describe, expect, it } from '@jest/globals'
import { addEvents } from '../../../../app/src/task/model/add-events.ts'
import { EMPTY_FEED, type Feed, feedAfter } from '../../../../app/src/task/model/feed.ts'
import type { Item } from '../../../../app/src/task/model/feed-items.ts'
import { countWork } from '../../../../app/src/task/text/work-summary.ts'
import type { Message } from '../../../../contract/api/api.ts'
import type { NewEvent, TaskEvent } from '../../../../contract/api/event.ts'

type Told = NewEvent & { attempt?: number }

const START = Date.parse('2026-11-21T10:00:00Z')

function numbered(events: readonly Told[], from = 1): TaskEvent[] {
  return events.map(({ attempt = 1, ...event }, index) => ({
    ...event,
    attempt,
    taskId: 'tsk_1',
    seq: from + index,
    at: new Date(START + (from + index) * 400).toISOString(),
  }))
}
function feedOf(...events: Told[]): Feed {
  return addEvents(EMPTY_FEED, numbered(events))
}
function kinds({ items }: Feed): string[] {
  return items.map(({ kind }) => kind)
}
function last<K extends Item['kind']>({ items }: Feed, kind: K) {
  return items.findLast((item): item is Extract<Item, { kind: K }> => item.kind === kind)
}

function asked(text: string, turn = 1, mode: 'steer' | 'queue' | null = null, messageId = text): Told {
  return {
    type: 'message.received',
    data: { messageId, turn, text, mode, clientId: null },
  }
}
const BOOT: Told[] = [
  { type: 'attempt.started', data: { turn: 1, runner: 'host-1' } },
  { type: 'sandbox.ready', data: { node: 'v24.1.0' } },
  { type: 'repo.cloned', data: { baseBranch: 'main', commit: 'abc', branch: 'errand/1/fix', resumed: false } },
  { type: 'turn.started', data: { turn: 1, model: 'claude-opus-5-5' } },
]
function said(text: string): Told {
  return { type: 'text.written', data: { text } }
}
function started(callId: string, name = 'bash', input: unknown = { command: 'ls' }): Told {
  return {
    type: 'tool.started',
    data: { callId, name, title: name, input },
  }
}
function ended(callId: string, exitCode: number | null = 0, name = 'bash'): Told {
  return {
    type: 'tool.ended',
    data: { callId, name, ok: true, output: 'exit_code: 0\nwall_time: 0 s\n', outputBytes: 0, exitCode, durationMs: 5 },
  }
}
function blocked(host: string): Told {
  return { type: 'host.blocked', data: { host, method: 'GET', advice: 'Ask.' } }
}
function over(summary: string): Told[] {
  return [
    {
      type: 'turn.ended',
      data: {
        turn: 1,
        outcome: 'completed',
        reason: 'done',
        summary,
        message: null,
        diff: { files: 1, insertions: 2, deletions: 1 },
      },
    },
    { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } },
    { type: 'task.ended', data: { turn: 1, status: 'completed', reason: 'done', message: null, branch: 'errand/1/fix' } },
  ]
}

describe('a later page of events', () => {
  const message = (id: string, state: Message['state'], mode: Message['mode'] = 'queue'): Message => {
    const turn = state === 'delivered' ? 1 : null
    return {
      id,
      taskId: 'tsk_1',
      clientId: `c-${id}`,
      text: id,
      createdAt: new Date(START).toISOString(),
      mode,
      state,
      turn,
    }
  }
  const delivered = (messageId: string, turn: number): Told => ({ type: 'message.delivered', data: { messageId, turn } })
  const withdrawn = (messageId: string): Told => ({ type: 'message.withdrawn', data: { messageId } })
  const waiting = (feed: Feed) => feed.waiting.map(({ text }) => text)

  it('shows what waits since before it, once, and before what waits since', () => {
    const feed = feedAfter([
      message('first', 'delivered'),
      message('a', 'waiting'),
      message('b', 'waiting'),
      message('c', 'waiting'),
    ])
    expect(waiting(addEvents(feed, numbered([said('…'), asked('c', 2, 'queue'), asked('d', 3, 'queue')], 400)))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
  })

  it('lets go of what was delivered or withdrawn, whichever the list of messages told already', () => {
    const events = numbered([...over('Fixed.'), delivered('a', 2), withdrawn('b'), delivered('c', 3)], 400)
    for (const state of ['waiting', 'delivered'] as const) {
      const feed = addEvents(feedAfter([message('a', state), message('b', 'waiting'), message('c', state)]), events)
      expect(waiting(feed)).toEqual([])
      expect(feed.items.flatMap((item) => (item.kind === 'message' ? [`${item.text} ${item.state} ${item.turn}`] : []))).toEqual([
        'a delivered 2',
        'b withdrawn 2',
        'c delivered 3',
      ])
    }
  })

  it('takes a message that steers as part of the turn under way, though its beginning is not there', () => {
    const feed = addEvents(
      feedAfter([message('a', 'waiting', 'steer')]),
      numbered([said('…'), delivered('a', 5), said('ok')], 400),
    )
    expect(kinds(feed)).toEqual(['text', 'message', 'text'])
    expect(feed.items[1]).toMatchObject({ state: 'delivered', mode: 'steer' })
  })

  it('does not leave waiting what turns out to have begun a turn', () => {
    const feed = addEvents(feedAfter([message('a', 'waiting')]), numbered([asked('a', 4)], 400))
    expect(waiting(feed)).toEqual([])
    expect(kinds(feed)).toEqual(['message', 'boot'])
  })
})

describe('the feed of a task', () => {
  it('goes from the message over the checklist and the work to the answer and the end', () => {
    const feed = feedOf(asked('Fix it'), ...BOOT, said('I look.'), started('a'), ended('a'), said('Fixed.'), ...over('Fixed.'))
    expect(kinds(feed)).toEqual(['message', 'boot', 'text', 'work', 'text', 'end'])
    expect(last(feed, 'text')).toMatchObject({ text: 'Fixed.', answer: true })
    expect(last(feed, 'end')).toMatchObject({ status: 'completed', diff: { files: 1 }, branch: 'errand/1/fix' })
    expect(feed.activity).toBe('ended')
  })

  it('says a summary that was not the last text', () => {
    const feed = feedOf(asked('Fix it'), ...BOOT, said('I look.'), ...over('Fixed.'))
    expect(feed.items.filter(({ kind }) => kind === 'text')).toMatchObject([
      { text: 'I look.', answer: false },
      { text: 'Fixed.', answer: true },
    ])
  })

  it('checks the steps of the start off, one by one', () => {
    expect(last(feedOf(asked('Fix it')), 'boot')).toMatchObject({ takenAt: null, attempt: 0 })
    expect(last(feedOf(asked('Fix it'), ...BOOT.slice(0, 2)), 'boot')).toMatchObject({ runner: 'host-1', clonedAt: null })
    expect(feedOf(asked('Fix it'), ...BOOT.slice(0, 2)).activity).toBe('starting')
    expect(last(feedOf(asked('Fix it'), ...BOOT), 'boot')?.agentAt).toBe(START + 5 * 400)
  })

  it('goes on with one checklist, though a message is taken back while the turn waits', () => {
    const withdrawn: Told = { type: 'message.withdrawn', data: { messageId: 'm2' } }
    const waiting = [asked('x'), asked('y', 2, 'queue', 'm2'), withdrawn]
    const feed = feedOf(...waiting, ...BOOT)
    expect(kinds(feed)).toEqual(['message', 'boot', 'message'])
    expect(last(feed, 'boot')).toMatchObject({ attempt: 1, runner: 'host-1', stopped: false })
    const cancelled: Told = {
      type: 'task.ended',
      data: { turn: 1, status: 'cancelled', reason: 'cancelled_by_user', message: null, branch: null },
    }
    expect(last(feedOf(...waiting, cancelled), 'boot')).toMatchObject({ stopped: true })
  })

  it('gathers calls with nothing said between, and counts files once and failures', () => {
    const edit = (id: string, file_path: string): Told[] => [started(id, 'edit', { file_path }), ended(id, null, 'edit')]
    const feed = feedOf(asked('x'), ...BOOT, started('a'), ended('a', 1), ...edit('b', 'f'), ...edit('c', 'f'), started('d'))
    const work = last(feed, 'work')
    expect(kinds(feed).filter((kind) => kind === 'work')).toHaveLength(1)
    expect(countWork(work?.calls ?? [])).toEqual({ commands: 2, edited: 1, read: 0, other: 0, failed: 1, running: true })
  })

  it('keeps work whole when a host is blocked in the middle, and counts the host once', () => {
    const feed = feedOf(asked('x'), ...BOOT, started('a'), blocked('e.org'), blocked('e.org'), ended('a', 1), started('b'))
    expect(kinds(feed)).toEqual(['message', 'boot', 'work', 'blocked'])
    expect(last(feed, 'work')?.calls.map((call) => call.ended?.exitCode)).toEqual([1, undefined])
    expect(last(feed, 'blocked')?.hosts).toEqual([{ host: 'e.org', method: 'GET', advice: 'Ask.', times: 2 }])
  })

  it('shows a note of Errand’s own where it was written', () => {
    const feed = feedOf(asked('x'), ...BOOT, said('I look.'), { type: 'note.written', data: { text: 'Anew.' } }, started('a'))
    expect(feed.items.slice(2)).toMatchObject([{ kind: 'text' }, { kind: 'note', text: 'Anew.' }, { kind: 'work' }])
  })

  it('keeps a message below everything until the agent has it, then puts it where it came in', () => {
    const waiting = feedOf(asked('Fix it'), ...BOOT, asked('And the docs', 1, 'steer', 'm2'), said('I look.'))
    expect(waiting.waiting).toMatchObject([{ text: 'And the docs', state: 'waiting' }])
    const taken = addEvents(waiting, numbered([{ type: 'message.delivered', data: { messageId: 'm2', turn: 1 } }], 8))
    expect(taken.waiting).toEqual([])
    expect(taken.items.at(-1)).toMatchObject({ kind: 'message', state: 'delivered', mode: 'steer' })
  })

  it('shows a message that was taken back as such', () => {
    const feed = feedOf(asked('x'), asked('y', 1, 'queue', 'm2'), { type: 'message.withdrawn', data: { messageId: 'm2' } })
    expect(feed.waiting).toEqual([])
    expect(feed.items.at(-1)).toMatchObject({ text: 'y', state: 'withdrawn' })
  })

  it('shows that the conversation was summarised, between the work before and after it', () => {
    const data = { beforeTokens: 151_234, afterTokens: 8_001, bySummary: true }
    const feed = feedOf(
      asked('x'),
      ...BOOT,
      started('a'),
      ended('a'),
      { type: 'context.compacted', data },
      started('b'),
      ended('b'),
    )
    expect(kinds(feed)).toEqual(['message', 'boot', 'work', 'compacted', 'work'])
    expect(last(feed, 'compacted')).toMatchObject(data)
  })

  it('counts a message as delivered that was taken back in the moment the agent took it', () => {
    const taken: Told = { type: 'message.delivered', data: { messageId: 'm2', turn: 1 } }
    const back: Told = { type: 'message.withdrawn', data: { messageId: 'm2' } }
    const feed = feedOf(asked('x'), ...BOOT, asked('y', 1, 'steer', 'm2'), back, said('I look.'), taken)
    expect(kinds(feed)).toEqual(['message', 'boot', 'text', 'message'])
    expect(feed.items.at(-1)).toMatchObject({ text: 'y', state: 'delivered', mode: 'steer' })
  })

  it('tells of a message that came too late for its turn, that it becomes the next', () => {
    const feed = feedOf(asked('x'), ...BOOT, asked('y', 1, 'steer', 'm2'), ...over('Fixed.'))
    expect(feed.waiting).toMatchObject([{ text: 'y', mode: 'queue' }])
    const next = addEvents(feed, numbered([{ type: 'message.delivered', data: { messageId: 'm2', turn: 2 } }], 10))
    expect(kinds(next).slice(-2)).toEqual(['message', 'boot'])
    expect(last(next, 'message')).toMatchObject({ text: 'y', turn: 2, mode: null })
  })

  it('begins the next turn with the queued message, whichever event tells of it first', () => {
    const before = [asked('Fix it'), ...BOOT, asked('More', 2, 'queue', 'm2'), ...over('Fixed.')]
    const delivered: Told = { type: 'message.delivered', data: { messageId: 'm2', turn: 2 } }
    const taken: Told = { type: 'attempt.started', data: { turn: 2, runner: 'host-2' }, attempt: 2 }
    for (const feed of [feedOf(...before, delivered, taken), feedOf(...before, taken, delivered)]) {
      expect(kinds(feed).slice(-2)).toEqual(['message', 'boot'])
      expect(last(feed, 'message')).toMatchObject({ text: 'More', turn: 2 })
      expect(last(feed, 'boot')).toMatchObject({ runner: 'host-2', attempt: 2 })
      expect(feed).toMatchObject({ turn: 2, activity: 'starting' })
    }
  })

  it('tells of an interruption and waits for the next attempt', () => {
    const feed = feedOf(
      asked('x'),
      ...BOOT.slice(0, 2),
      { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'runner_lost', message: null } },
      { type: 'attempt.started', data: { turn: 1, runner: 'host-2' }, attempt: 2 },
    )
    expect(kinds(feed)).toEqual(['message', 'boot', 'interrupted', 'boot'])
    expect(feed.items[1]).toMatchObject({ stopped: true })
    expect(last(feed, 'boot')).toMatchObject({ runner: 'host-2', attempt: 2 })
  })

  it('shows the plan as the agent last told it, and not as work', () => {
    const feed = feedOf(asked('x'), ...BOOT, started('t', 'todo', { items: [{ text: 'Look', status: 'doing' }, 7] }))
    expect(feed.plan).toEqual([
      { text: 'Look', status: 'doing' },
      { text: '', status: 'open' },
    ])
    expect(kinds(feed)).toEqual(['message', 'boot'])
  })

  it('takes every event once, and leaves what did not change as it is', () => {
    const events = numbered([asked('x'), ...BOOT, said('one'), started('a'), ended('a')])
    const half = addEvents(EMPTY_FEED, events.slice(0, 6))
    const whole = addEvents(half, events)
    expect(whole).toEqual(addEvents(EMPTY_FEED, events))
    expect(addEvents(whole, events)).toBe(whole)
    expect(whole.items[0]).toBe(half.items[0])
    expect(whole.items[2]).toBe(half.items[2])
  })

  it('grows by an event as easily at the end of a long feed as at its beginning', () => {
    const long = numbered([
      asked('x'),
      ...BOOT,
      ...Array.from({ length: 1000 }, (_, i) => [said(`t${i}`), started(`c${i}`), ended(`c${i}`)]).flat(),
    ])
    const began = performance.now()
    let feed = EMPTY_FEED
    for (const event of long) feed = addEvents(feed, [event])
    expect(feed.items).toHaveLength(2002)
    // About 40 ms on a slow machine; work in the square of the length takes seconds.
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
