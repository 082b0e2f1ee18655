import type { EventData } from '../../../../contract/api/event.ts'
import { isFresh, waitingBoot } from './boot.ts'
import { beginTurn, type Draft } from './feed.ts'
import type { ItemOf } from './feed-items.ts'

/** A message that starts a turn stands in the feed; any other waits below it. */
export function receive(draft: Draft, data: EventData<'message.received'>, key: string): void {
  const { messageId, clientId, text, turn } = data
  const mode = data.mode ?? null
  const item = { kind: 'message', key: messageId, turn, at: draft.lastAt, messageId, clientId, text, mode } as const
  // The list of messages may know it already.
  draft.waiting = draft.waiting.filter((one) => one.messageId !== messageId)
  if (mode !== null) {
    draft.waiting = [...draft.waiting, { ...item, state: 'waiting' }]
    return
  }
  beginTurn(draft, turn)
  draft.items.push({ ...item, state: 'delivered' }, waitingBoot(draft, key))
}

/** Also handles a message that was withdrawn at the same moment: the delivery wins. */
export function deliver(draft: Draft, { messageId, turn }: EventData<'message.delivered'>): void {
  const message = takeOut(draft, messageId)
  if (!message) return
  const steers = message.mode === 'steer'
  const item = { ...message, turn, state: 'delivered', mode: steers ? 'steer' : null } as const
  if (!steers && turn > draft.turn) {
    beginTurn(draft, turn)
    draft.items.push(item, waitingBoot(draft, messageId))
  }
  // The attempt may announce the turn before its message does; the message still stands above it.
  else if (isFresh(draft)) draft.items.splice(-1, 0, item)
  else draft.items.push(item)
}

export function withdraw(draft: Draft, messageId: string): void {
  const message = takeOut(draft, messageId)
  if (message) draft.items.push({ ...message, turn: draft.turn, state: 'withdrawn' })
}

/** Messages that still wait at the end of a turn become the next turns, whatever their mode. */
export function steersToQueue(draft: Draft): void {
  draft.waiting = draft.waiting.map((message) => (message.mode === 'steer' ? { ...message, mode: 'queue' } : message))
}

function takeOut(draft: Draft, messageId: string): ItemOf<'message'> | undefined {
  const isIt = (one: ItemOf<'message'>) => one.messageId === messageId
  const waiting = draft.waiting.find(isIt)
  if (waiting) {
    draft.waiting = draft.waiting.filter((one) => one !== waiting)
    return waiting
  }
  const at = draft.items.findLastIndex((item) => item.kind === 'message' && item.state === 'withdrawn' && isIt(item))
  return at >= 0 ? (draft.items.splice(at, 1)[0] as ItemOf<'message'>) : draft.earlierMessages.find(isIt)
}
