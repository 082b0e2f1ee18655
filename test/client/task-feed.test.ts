import { describe, expect, it } from '@jest/globals'
import { type FeedEffect, type FeedState, openFeed } from '../../client/feed-state.ts'
import { PAGE } from '../../client/shown-feed.ts'
import { stepFeed } from '../../client/task-feed.ts'
import type { Message } from '../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../contract/api/event.ts'

type Input = Parameters<typeof stepFeed>[1]

function event(seq: number, taskId = 't'): TaskEvent {
  return { taskId, seq, attempt: 1, at: '', type: 'sandbox.ready', data: { node: '24' } } as TaskEvent
}
function upTo(last: number, first = 1): TaskEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => event(first + index))
}
function come(...seqs: number[]): Input[] {
  return seqs.map((seq) => ({ type: 'event', event: event(seq) }))
}
function page(last: number, first = 1): Input {
  return { type: 'page', events: upTo(last, first), lastSeq: last }
}
function watched(lastSeq: number | null): Input {
  return { type: 'watched', lastSeq }
}
function fired(timer: 'gather' | 'write' | 'keep' | 'ask'): Input {
  return { type: 'fired', timer }
}
const restored: Input = { type: 'restored', saved: null }
const connected: Input = { type: 'connected' }
const away: Input = { type: 'failed', error: 'away', isFinal: false }
const gone: Input = { type: 'failed', error: 'gone', isFinal: true }

/** @returns the state after all inputs, what is shown, and what the last input brought about */
function run(inputs: Input[], from: FeedState = openFeed('t')) {
  let state = from
  let last: readonly FeedEffect[] = []
  const all: FeedEffect[] = []
  for (const input of inputs) {
    const stepped = stepFeed(state, input)
    state = stepped.state
    last = stepped.effects
    all.push(...last)
  }
  return { state, shown: state.shown, seqs: state.shown.events.map(({ seq }) => seq), last, all }
}
function typesOf(effects: readonly FeedEffect[]) {
  return effects.map((effect) => (effect.type === 'wait' || effect.type === 'stop' ? `${effect.type} ${effect.as}` : effect.type))
}
/** A feed with three events, watched and with nothing on its way. */
const READY = run([restored, { type: 'task', lastSeq: 3 }, page(3), watched(3)])

describe('a feed that opens', () => {
  it('asks how far the list goes, for the newest page, and for what comes', () => {
    expect(run([restored]).last).toEqual([{ type: 'ask-task' }])
    expect(run([restored, { type: 'task', lastSeq: PAGE + 5 }]).last).toEqual([{ type: 'ask-page', after: 5, limit: PAGE }])
    const loaded = run([restored, { type: 'task', lastSeq: PAGE + 5 }, page(PAGE + 5, 6)])
    expect(loaded.shown).toMatchObject({ phase: 'ready', hasEarlier: true, lastSeq: PAGE + 5 })
    expect(loaded.last).toContainEqual({ type: 'watch', after: PAGE + 5 })
    expect(loaded.last).toContainEqual({ type: 'keep', saved: { events: upTo(PAGE + 5, 6), lastSeq: PAGE + 5 } })
    expect(run([watched(PAGE + 5)], loaded.state).last).toEqual([{ type: 'ask-messages' }])
  })

  it('shows what was saved, and goes on from it when the server does', () => {
    const saved: Input = { type: 'restored', saved: { events: upTo(3), lastSeq: 3 } }
    expect(run([saved]).shown).toMatchObject({ phase: 'saved', lastSeq: 3 })
    expect(run([saved, { type: 'task', lastSeq: 5 }]).last).toEqual([{ type: 'ask-page', after: 3, limit: PAGE }])
    expect(run([saved, { type: 'task', lastSeq: 5 }, page(5, 4)]).seqs).toEqual([1, 2, 3, 4, 5])
    expect(run([saved, { type: 'task', lastSeq: PAGE + 4 }]).last).toEqual([{ type: 'ask-page', after: 4, limit: PAGE }])
    expect(run([saved, { type: 'task', lastSeq: 2 }, page(2)]).seqs).toEqual([1, 2])
  })

  it('leaves alone what the server has said when the device answers late', () => {
    const late = run([{ type: 'restored', saved: { events: upTo(2), lastSeq: 2 } }], READY.state)
    expect(late).toMatchObject({ seqs: [1, 2, 3], shown: { phase: 'ready' } })
  })

  it('knows of events that come before its first page, and waits for them', () => {
    const early = run([restored, ...come(4), { type: 'task', lastSeq: 3 }, page(3), watched(3)])
    expect(early.seqs).toEqual([1, 2, 3])
    expect(early.last).toContainEqual({ type: 'catch-up', behind: true })
    expect(early.last).toContainEqual({ type: 'wait', as: 'ask', ms: 5_000 })
  })

  it.each([
    ['task', [restored]],
    ['page', [restored, { type: 'task', lastSeq: 3 } as Input]],
  ])('tells why nothing came when the call for the %s fails, and asks again where that can help', (_call, inputs) => {
    const passing = run([...inputs, away])
    expect(passing.shown).toMatchObject({ phase: 'error', error: 'away' })
    expect(passing.last).toContainEqual({ type: 'wait', as: 'ask', ms: 3_000 })
    expect(run([fired('ask')], passing.state).last).toEqual([{ type: 'ask-task' }])
    const final = run([...inputs, gone])
    expect(final.shown).toMatchObject({ phase: 'error', error: 'gone' })
    expect(typesOf(final.last)).toEqual(['catch-up'])
    expect(run([{ type: 'retry' }], final.state)).toMatchObject({
      shown: { phase: 'loading', error: null },
      last: [{ type: 'ask-task' }],
    })
  })

  it('keeps showing what was saved while the server is away, and not once it refuses', () => {
    const saved: Input = { type: 'restored', saved: { events: upTo(3), lastSeq: 3 } }
    expect(run([saved, away]).shown).toMatchObject({ phase: 'saved', lastSeq: 3 })
    expect(run([saved, gone]).shown).toMatchObject({ phase: 'error', error: 'gone' })
  })
})

describe('a feed that is open', () => {
  it('shows events together that come one by one, each once and in order', () => {
    const gathered = run([...come(4, 5, 5, 3, 6)], READY.state)
    expect(gathered.seqs).toEqual([1, 2, 3])
    expect(typesOf(gathered.all)).toEqual(['wait gather'])
    expect(run([fired('gather')], gathered.state).seqs).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('asks at once for what is missing in a hole, from the last event that it has, and holds what is behind it', () => {
    const hole = run(come(4, 6, 7), READY.state)
    expect(hole.all.filter(({ type }) => type === 'watch')).toEqual([{ type: 'watch', after: 4 }])
    expect(run([watched(7), ...come(5), fired('gather')], hole.state).seqs).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('takes what overtakes the stored events that were promised', () => {
    const promised = run([connected, watched(5), ...come(6, 4, 5)], READY.state)
    expect(promised.all.filter(({ type }) => type === 'watch')).toHaveLength(1)
    expect(run([fired('gather')], promised.state).seqs).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('asks again for what was promised and does not come, and no more once it is here', () => {
    const promised = run([connected, watched(5)], READY.state)
    expect(promised.last).toContainEqual({ type: 'wait', as: 'ask', ms: 5_000 })
    expect(run([fired('ask')], promised.state).last).toEqual([{ type: 'watch', after: 3 }])
    const here = run([...come(4, 5), fired('gather')], promised.state)
    expect(here.last).toContainEqual({ type: 'catch-up', behind: false })
    expect(here.last).toContainEqual({ type: 'stop', as: 'ask' })
  })

  it('calls for what the connection does not bring, and watches again', () => {
    const refused = run([connected, watched(null)], READY.state)
    expect(refused.last).toEqual([{ type: 'ask-page', after: 3, limit: PAGE }])
    const called = run([page(5, 4)], refused.state)
    expect(called.seqs).toEqual([1, 2, 3, 4, 5])
    expect(called.last).toContainEqual({ type: 'wait', as: 'ask', ms: 3_000 })
    expect(run([fired('ask')], called.state).last).toEqual([{ type: 'watch', after: 5 }])
  })

  it('takes from a call what the connection has brought meanwhile, once', () => {
    const meanwhile = run([connected, watched(null), ...come(4, 5), page(5, 4)], READY.state)
    expect(meanwhile.seqs).toEqual([1, 2, 3, 4, 5])
    expect(typesOf(meanwhile.last)).toContain('stop gather')
  })

  it('has one sync at a time, and one more for whatever asked during it', () => {
    const busy = run([connected, connected, connected], READY.state)
    expect(busy.all).toEqual([{ type: 'watch', after: 3 }])
    expect(run([watched(3)], busy.state).last.at(-1)).toEqual({ type: 'watch', after: 3 })
    expect(run([watched(3), watched(3)], busy.state).state).toMatchObject({ sync: { at: 'idle' }, syncAgain: false })
    expect(run([watched(null), away], busy.state).last.at(-1)).toEqual({ type: 'watch', after: 3 })
  })

  it('ignores an answer that it does not wait for', () => {
    for (const answer of [watched(9), page(9), { type: 'task', lastSeq: 9 }, { type: 'messages', items: [] }, away] as Input[])
      expect(run([answer], READY.state)).toMatchObject({ state: READY.state, last: [] })
  })

  it('asks for the messages once, and tells the outbox of those that the server has', () => {
    const long = run([restored, { type: 'task', lastSeq: PAGE + 1 }, page(PAGE + 1, 2), watched(PAGE + 1)])
    const items = [
      { id: 'm1', clientId: 'c1' },
      { id: 'm2', clientId: null },
    ] as Message[]
    const told = run([{ type: 'messages', items }], long.state)
    expect(told.shown.messages).toEqual(items)
    expect(told.last).toContainEqual({ type: 'received', clientIds: ['c1'] })
    expect(typesOf(run([connected, watched(PAGE + 1)], told.state).last)).not.toContain('ask-messages')
  })

  it('stays as it is when a call fails in the middle', () => {
    expect(run([connected, watched(null), gone], READY.state).shown).toBe(READY.shown)
  })

  it('hears nothing of other tasks', () => {
    const delta: Delta = { taskId: 'other', attempt: 1, offset: 0, text: 'x' }
    expect(
      run(
        [
          { type: 'event', event: event(4, 'other') },
          { type: 'delta', delta },
        ],
        READY.state,
      ),
    ).toMatchObject({
      state: READY.state,
      all: [],
    })
  })

  it('shows text together as it is written, and the whole of it before the event that ends it', () => {
    const delta = (offset: number, text: string): Input => ({ type: 'delta', delta: { taskId: 't', attempt: 1, offset, text } })
    const heard = run([delta(0, 'Hel'), delta(3, 'lo')], READY.state)
    expect(typesOf(heard.all)).toEqual(['wait write'])
    expect(run([fired('write')], heard.state).shown.live).toMatchObject([{ text: 'Hello' }])
    const written = { ...event(4), type: 'text.written', data: { text: 'Hello' } } as TaskEvent
    const ended = run([{ type: 'event', event: written }, fired('gather')], heard.state)
    expect(ended.shown.live).toEqual([])
    expect(typesOf(ended.last)).toContain('stop write')
  })

  it('keeps what is new on the device every two seconds at most, and the rest when it is closed', () => {
    const shown = run([...come(4), fired('gather'), ...come(5), fired('gather')], READY.state)
    expect(shown.all.filter((effect) => effect.type === 'wait' && effect.as === 'keep')).toHaveLength(1)
    const saved = { events: upTo(5), lastSeq: 5 }
    expect(run([fired('keep')], shown.state).last).toContainEqual({ type: 'keep', saved })
    expect(run([{ type: 'close' }], shown.state).last[0]).toEqual({ type: 'keep', saved })
    expect(typesOf(run([fired('keep'), { type: 'close' }], shown.state).last)).toEqual(['catch-up', 'unwatch'])
  })

  it('catches up no more once it is closed in the middle of it', () => {
    expect(run([connected, watched(9), { type: 'close' }], READY.state).last).toEqual([
      { type: 'catch-up', behind: false },
      { type: 'unwatch' },
    ])
  })

  it('puts earlier events in front, and lets a person ask again when they do not come', () => {
    const long = run([restored, { type: 'task', lastSeq: PAGE + 2 }, page(PAGE + 2, 3), watched(null)])
    const asked = run([{ type: 'earlier-asked' }], long.state)
    expect(asked.shown.loadingEarlier).toBe(true)
    expect(run([{ type: 'earlier-failed' }], asked.state).shown).toMatchObject({ loadingEarlier: false, hasEarlier: true })
    const there = run([{ type: 'earlier', events: upTo(2) }], asked.state)
    expect(there.shown).toMatchObject({ loadingEarlier: false, hasEarlier: false })
    expect(there.seqs).toHaveLength(PAGE + 2)
  })
})
