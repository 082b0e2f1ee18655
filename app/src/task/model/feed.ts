import type { Message } from '../../../../contract/api/api.ts'
import type { EventData } from '../../../../contract/api/event.ts'
import type { PlanStep } from './feed-facts.ts'
import { type Item, type ItemOf, NO_USAGE } from './feed-items.ts'

/** What the agent is at. `ended` is a turn's end: the next message begins another. */
export type Activity = 'waiting' | 'starting' | 'thinking' | 'working' | 'finishing' | 'ended'

export type Feed = {
  items: readonly Item[]
  /** Messages that no agent has yet; they stand below everything else. */
  waiting: readonly ItemOf<'message'>[]
  /** What was said before the first event: a later event may name it. */
  said: readonly ItemOf<'message'>[]
  activity: Activity
  turn: number
  /** When the running turn was asked for, milliseconds since 1970; 0 when that is among the events that were not loaded. */
  turnStartedAt: number
  usage: typeof NO_USAGE
  turnUsage: typeof NO_USAGE
  /** The agent's own list of steps, as it stands. */
  plan: readonly PlanStep[]
  /** Of the newest event. */
  lastSeq: number
  lastAt: number
  /** What the turn under way said of itself when the agent was done with it. */
  verdict: EventData<'turn.ended'> | null
}

export const EMPTY_FEED: Feed = {
  items: [],
  waiting: [],
  said: [],
  activity: 'waiting',
  turn: 0,
  turnStartedAt: 0,
  usage: NO_USAGE,
  turnUsage: NO_USAGE,
  plan: [],
  lastSeq: 0,
  lastAt: 0,
  verdict: null,
}

/** A feed to put a later page of events into. @param messages all that was said to the task so far, by the server's list */
export function feedAfter(messages: readonly Message[]): Feed {
  const said = messages.map(itemOf)
  return { ...EMPTY_FEED, said, waiting: said.filter(({ state }) => state === 'waiting') }
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
