import type { Message } from '../../../../contract/api/api.ts'
import type { EventData } from '../../../../contract/api/event.ts'
import type { PlanStep } from './feed-facts.ts'
import { type Item, type ItemOf, NO_USAGE } from './feed-items.ts'

/** What the agent is doing. `ended` is the end of a turn: the next message begins another. */
export type Activity = 'waiting' | 'starting' | 'thinking' | 'working' | 'finishing' | 'ended'

export type Feed = {
  items: readonly Item[]
  /** Messages that no agent has read yet; they stand below everything else. */
  waiting: readonly ItemOf<'message'>[]
  /** Messages from before the first loaded event: a later event may name one. */
  earlierMessages: readonly ItemOf<'message'>[]
  activity: Activity
  turn: number
  /** When the running turn was requested, in milliseconds since 1970; 0 if that event is not loaded. */
  turnStartedAt: number
  usage: typeof NO_USAGE
  turnUsage: typeof NO_USAGE
  /** The agent's own current list of steps. */
  plan: readonly PlanStep[]
  /** The newest event's number and time. */
  lastSeq: number
  lastAt: number
  /** Why the agent waits for the model, and until when; null while it does not. */
  modelWait: EventData<'model.waiting'> | null
  /** The `turn.ended` of the current turn, once the agent has finished it. */
  verdict: EventData<'turn.ended'> | null
}

export const EMPTY_FEED: Feed = {
  items: [],
  waiting: [],
  earlierMessages: [],
  activity: 'waiting',
  turn: 0,
  turnStartedAt: 0,
  usage: NO_USAGE,
  turnUsage: NO_USAGE,
  plan: [],
  lastSeq: 0,
  lastAt: 0,
  modelWait: null,
  verdict: null,
}

/** A feed that begins with a later page of events. @param messages every message to the task so far, from the server's list */
export function feedAfter(messages: readonly Message[]): Feed {
  const items = messages.map(itemOf)
  return { ...EMPTY_FEED, earlierMessages: items, waiting: items.filter(({ state }) => state === 'waiting') }
}

function itemOf({ id, clientId, text, mode, state, turn, createdAt }: Message): ItemOf<'message'> {
  return {
    kind: 'message',
    key: id,
    turn: turn ?? 0,
    at: Date.parse(createdAt),
    messageId: id,
    clientId,
    text,
    mode,
    state,
  }
}

/** A feed while events are applied to it. */
export type Draft = Omit<Feed, 'items'> & { items: Item[] }

export function beginTurn(draft: Draft, turn: number): void {
  if (turn <= draft.turn) {
    if (draft.activity === 'ended') Object.assign(draft, { activity: 'waiting', turnStartedAt: draft.lastAt, verdict: null })
    return
  }
  Object.assign(draft, { turn, activity: 'waiting', turnStartedAt: draft.lastAt, turnUsage: NO_USAGE, plan: [], verdict: null })
}

/** Changes the newest item of a kind. */
export function changeLast<K extends Item['kind']>(draft: Draft, kind: K, change: (item: ItemOf<K>) => ItemOf<K>): void {
  const index = draft.items.findLastIndex((item) => item.kind === kind)
  const item = draft.items[index]
  if (item) draft.items[index] = change(item as ItemOf<K>)
}
