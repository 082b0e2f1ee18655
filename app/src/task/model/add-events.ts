import type { EventData, EventType, TaskEvent } from '../../../../contract/api/event.ts'
import { startAgent, startAttempt } from './boot.ts'
import { conclude, end, interrupt } from './ends.ts'
import { beginTurn, changeLast, type Draft, type Feed } from './feed.ts'
import { addUsage } from './feed-facts.ts'
import { deliver, receive, steersToQueue, withdraw } from './messages.ts'
import { block, endCall, startCall } from './work.ts'

/**
 * Adds events to a feed; the first ones may come from the middle of a task. Unchanged items stay the same objects, and an event looks
 * only at the last few of them, so a long feed grows as easily as a short one. Events the feed already has, by `seq`, are skipped.
 */
export function addEvents(feed: Feed, events: readonly TaskEvent[]): Feed {
  const fresh = events.filter(({ seq }) => seq > feed.lastSeq)
  if (fresh.length === 0) return feed
  const draft: Draft = { ...feed, items: [...feed.items] }
  for (const event of fresh) {
    draft.lastSeq = event.seq
    draft.lastAt = Date.parse(event.at)
    apply(draft, event, { attempt: event.attempt, key: String(event.seq) })
  }
  return draft
}

/** `key` is the key of the item that an event adds. */
type Place = { attempt: number; key: string }
type Reducers = { [T in EventType]: (draft: Draft, data: EventData<T>, place: Place) => void }

/** Skips the types that only a newer server knows. */
function apply<T extends EventType>(draft: Draft, { type, data }: { type: T; data: EventData<T> }, place: Place): void {
  REDUCERS[type]?.(draft, data, place)
}

const REDUCERS: Reducers = {
  'task.created': nothing,
  'checkpoint.saved': nothing,
  'message.received': (draft, data, { key }) => receive(draft, data, key),
  'message.delivered': deliver,
  'message.withdrawn': (draft, { messageId }) => withdraw(draft, messageId),
  'attempt.started': (draft, { turn, runner }, { attempt, key }) => {
    beginTurn(draft, turn)
    Object.assign(draft, { activity: 'starting', modelWait: null })
    startAttempt(draft, attempt, runner, key)
  },
  'sandbox.ready': (draft) => changeLast(draft, 'boot', (boot) => ({ ...boot, sandboxAt: draft.lastAt })),
  'repo.cloned': (draft, { baseBranch, resumed }) =>
    changeLast(draft, 'boot', (boot) => ({ ...boot, clonedAt: draft.lastAt, baseBranch, resumed })),
  'turn.started': (draft) => {
    draft.activity = 'thinking'
    startAgent(draft)
  },
  'text.written': (draft, { text, cutOff = false }, { key }) => {
    draft.activity = 'thinking'
    if (text.trim() !== '') draft.items.push({ kind: 'text', key, turn: draft.turn, text, answer: false, cutOff })
  },
  'note.written': (draft, { text }, { key }) => void draft.items.push({ kind: 'note', key, turn: draft.turn, text }),
  'tool.started': (draft, data, { attempt, key }) => {
    draft.activity = 'working'
    startCall(draft, attempt, data, key)
  },
  'tool.ended': endCall,
  'model.waiting': (draft, data) => {
    draft.modelWait = data
  },
  'model.resumed': (draft) => {
    draft.modelWait = null
  },
  'usage.counted': (draft, data) => {
    draft.usage = addUsage(draft.usage, data)
    draft.turnUsage = addUsage(draft.turnUsage, data)
  },
  'context.compacted': (draft, data, { key }) => void draft.items.push({ kind: 'compacted', key, turn: draft.turn, ...data }),
  'host.blocked': (draft, data, { key }) => block(draft, data, key),
  'branch.pushed': (draft, data, { key }) => void draft.items.push({ kind: 'pushed', key, turn: draft.turn, ...data }),
  'pull_request.opened': (draft, data, { key }) =>
    void draft.items.push({ kind: 'pull_request', key, turn: draft.turn, ...data }),
  'turn.ended': (draft, data, { key }) => {
    draft.turn = Math.max(draft.turn, data.turn)
    draft.activity = 'finishing'
    conclude(draft, data, key)
  },
  'attempt.ended': (draft, data, { key }) => {
    if (data.outcome === 'interrupted') interrupt(draft, data, key)
  },
  'task.ended': (draft, data, { key }) => {
    end(draft, data, key)
    steersToQueue(draft)
  },
}

function nothing(): void {}
