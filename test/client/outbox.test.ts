import { describe, expect, it } from '@jest/globals'
import {
  type Draft,
  EMPTY_OUTBOX,
  type OutboxEffect,
  type OutboxState,
  type SendFault,
  stepOutbox,
  type Unsent,
} from '../../client/outbox.ts'
import type { Task } from '../../contract/api/api.ts'

type Input = Parameters<typeof stepOutbox>[1]

function message(clientId: string, taskId = 't', more: Partial<Draft> = {}): Draft {
  const body = { text: clientId, mode: 'queue' as const, clientId }
  return { clientId, userId: 'ada', createdAt: `at ${clientId}`, ...more, kind: 'message', taskId, body } as Draft
}
function newTask(clientId: string): Draft {
  const body = { repoUrl: 'https://example.org/a', prompt: 'mend it', clientId }
  return { clientId, userId: 'ada', createdAt: `at ${clientId}`, kind: 'task', body }
}
function kept(draft: Draft, state: Unsent['state'] = 'waiting'): Unsent {
  return { ...draft, state, error: null }
}
function add(draft: Draft): Input {
  return { type: 'add', draft }
}
function checked(clientId: string, userId = 'ada'): Input {
  return { type: 'checked', clientId, userId }
}
function received(clientId: string, waits = true): Input {
  return { type: 'received', clientId, waits }
}
function failed(clientId: string, kind: SendFault['kind'] = 'passing', error: string = kind): Input {
  return { type: 'failed', clientId, fault: { kind, error } }
}
function again(clientId: string): Input {
  return { type: 'fired', timer: clientId }
}
const flush: Input = { type: 'flush' }

function run(inputs: Input[], from: OutboxState = EMPTY_OUTBOX) {
  let state = from
  let last: readonly OutboxEffect[] = []
  const all: OutboxEffect[] = []
  for (const input of inputs) {
    const stepped = stepOutbox(state, input)
    state = stepped.state
    last = stepped.effects
    all.push(...last)
  }
  return {
    state,
    shown: state.items.map((item) => [item.clientId, item.state]),
    tried: last.flatMap((effect) => (effect.type === 'check' ? [effect.clientId] : [])),
    sent: all.flatMap((effect) => (effect.type === 'send' ? [effect.item.clientId] : [])),
    waits: all.flatMap((effect) => (effect.type === 'wait' ? [effect.ms] : [])),
    last,
    all,
  }
}

describe('an item of the outbox', () => {
  it('is kept on the device first, then asked about, then sent', () => {
    const item = { ...newTask('a'), state: 'sending', error: null }
    expect(run([add(newTask('a')), checked('a')]).all).toEqual([
      { type: 'store', item },
      { type: 'stop', as: 'a' },
      { type: 'check', clientId: 'a' },
      { type: 'send', item },
    ])
  })

  it('goes away when its task is created, which is told after that', () => {
    const task = { id: 'tsk' } as Task
    const { last, shown } = run([add(newTask('a')), checked('a'), { type: 'created', clientId: 'a', task }])
    expect(shown).toEqual([])
    expect(last).toEqual([
      { type: 'remove', clientId: 'a' },
      { type: 'stop', as: 'a' },
      { type: 'created', clientId: 'a', task },
    ])
  })

  it('shows as sent until its event is here, and leaves the device', () => {
    const { last, shown, state } = run([add(message('a')), checked('a'), received('a')])
    expect(shown).toEqual([['a', 'sent']])
    expect(last).toContainEqual({ type: 'remove', clientId: 'a' })
    expect(run([{ type: 'forget', clientId: 'a' }], state).shown).toEqual([])
    expect(run([flush], state).tried).toEqual([])
  })

  it('goes away at once when its event is long past', () => {
    expect(run([add(message('a')), checked('a'), received('a', false)]).shown).toEqual([])
  })

  it('is tried again after 2, 4, 8 and then every 15 seconds', () => {
    const tries = Array.from({ length: 6 }, () => [again('a'), failed('a')]).flat()
    const { waits, shown } = run([add(message('a')), failed('a'), ...tries])
    expect(waits).toEqual([2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000])
    expect(shown).toEqual([['a', 'waiting']])
  })

  it('is tried at once when the connection is back, and again when a try on the old one fails after that', () => {
    const waiting = run([add(message('a')), failed('a'), again('a'), failed('a')])
    expect(run([flush, flush], waiting.state)).toMatchObject({ tried: [], state: { onTheWay: new Set(['a']) } })
    expect(run([flush], waiting.state).tried).toEqual(['a'])
    expect(run([failed('a')], run([flush], waiting.state).state).waits).toEqual([2_000])
    const hangs = run([add(message('a')), flush])
    expect(hangs.tried).toEqual([])
    expect(run([failed('a')], hangs.state).tried).toEqual(['a'])
  })

  it('stays refused until a person tries again', () => {
    const refused = run([add(message('a')), checked('a'), failed('a', 'refused', 'No.')])
    expect(refused.state.items).toMatchObject([{ state: 'failed', error: 'No.' }])
    expect(refused.last).toContainEqual({ type: 'stop', as: 'a' })
    for (const input of [flush, again('a'), { type: 'restored', items: [kept(message('a'))] } as Input])
      expect(run([input], refused.state).tried).toEqual([])
    const retried = run([{ type: 'retry', clientId: 'a' }], refused.state)
    expect(retried).toMatchObject({ tried: ['a'], shown: [['a', 'sending']] })
    expect(run([{ type: 'retry', clientId: 'a' }], retried.state).last).toEqual([])
  })

  it('waits for the next connection, and for no timer, while nobody is signed in', () => {
    const signedOut = run([add(message('a')), failed('a', 'signed-out')])
    expect(signedOut).toMatchObject({ waits: [], shown: [['a', 'waiting']] })
    expect(run([flush], signedOut.state).tried).toEqual(['a'])
  })

  it('is sent as nobody but its writer, and by whoever is there if the writer is not known', () => {
    expect(run([add(message('a')), checked('a', 'bob')])).toMatchObject({ sent: [], shown: [] })
    expect(run([add(message('a', 't', { userId: null })), checked('a', 'bob')]).sent).toEqual(['a'])
  })

  it('is not sent when it was removed while the server was asked, nor brought back by a late answer', () => {
    const removed = run([add(message('a')), { type: 'forget', clientId: 'a' }])
    expect(removed.last).toContainEqual({ type: 'remove', clientId: 'a' })
    for (const late of [checked('a'), received('a'), failed('a'), again('a')])
      expect(run([late], removed.state)).toMatchObject({ shown: [], last: [], state: { onTheWay: expect.any(Set) } })
    expect(run([checked('a')], removed.state).state.onTheWay.size).toBe(0)
  })

  it('tells of a created task although it was removed while that was on its way', () => {
    const task = { id: 'tsk' } as Task
    const inputs: Input[] = [
      add(newTask('a')),
      checked('a'),
      { type: 'forget', clientId: 'a' },
      { type: 'created', clientId: 'a', task },
    ]
    expect(run(inputs).last).toEqual([{ type: 'created', clientId: 'a', task }])
  })
})

describe('messages to one task', () => {
  it('go out one after the other, and hold up no other task', () => {
    const two = run([add(message('a')), add(message('b')), add(message('c', 'another'))])
    expect(two.all.filter(({ type }) => type === 'check')).toEqual([
      { type: 'check', clientId: 'a' },
      { type: 'check', clientId: 'c' },
    ])
    expect(run([checked('a'), received('a')], two.state).tried).toEqual(['b'])
    expect(run([failed('a', 'refused')], two.state).tried).toEqual(['b'])
    expect(run([{ type: 'forget', clientId: 'a' }], two.state).tried).toEqual(['b'])
    expect(run([failed('a')], two.state).tried).toEqual([])
  })

  it('wait for the same thing as the one in front', () => {
    const waiting = run([add(message('a')), add(message('b')), failed('a', 'passing', 'no network')])
    expect(waiting.state.items).toMatchObject([
      { state: 'waiting', error: 'no network' },
      { state: 'waiting', error: 'no network' },
    ])
    expect(run([add(message('c'))], waiting.state).state.items.at(-1)).toMatchObject({ state: 'waiting', error: 'no network' })
    expect(run([failed('a', 'refused', 'No.')], run([again('a')], waiting.state).state).shown).toEqual([
      ['a', 'failed'],
      ['b', 'waiting'],
    ])
  })

  it('give way to an older one that is read from the device while the server is asked', () => {
    const late = run([add(message('b')), { type: 'restored', items: [kept(message('a'))] }])
    expect(late).toMatchObject({
      tried: [],
      shown: [
        ['a', 'waiting'],
        ['b', 'sending'],
      ],
    })
    expect(run([checked('b')], late.state)).toMatchObject({ sent: [], tried: ['a'] })
  })
})

describe('an outbox', () => {
  it('takes what another window keeps once, and not what was removed here', () => {
    const here = run([add(message('a')), { type: 'forget', clientId: 'a' }, add(message('b'))])
    const restored = run([{ type: 'restored', items: [kept(message('a')), kept(message('b')), kept(newTask('c'))] }], here.state)
    expect(restored.shown).toEqual([
      ['b', 'sending'],
      ['c', 'waiting'],
    ])
    expect(restored.tried).toEqual(['c'])
    expect(restored.last[0]).toEqual({ type: 'remove', clientId: 'a' })
    expect(run([{ type: 'restored', items: [kept(newTask('c'))] }], restored.state).last).toEqual([])
  })

  it('removes everything, and sends none of it', () => {
    const full = run([add(message('a')), add(message('b')), add(newTask('c')), failed('a')])
    const cleared = run([{ type: 'clear' }], full.state)
    expect(cleared).toMatchObject({ shown: [], tried: [], sent: [] })
    expect(cleared.last).toEqual(
      ['a', 'b', 'c'].flatMap((clientId) => [
        { type: 'stop', as: clientId },
        { type: 'remove', clientId },
      ]),
    )
    expect(run([checked('c'), again('a'), flush], cleared.state)).toMatchObject({ sent: [], all: [] })
  })
})
