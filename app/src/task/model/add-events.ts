import type { TaskEvent } from '../../../../contract/api/event.ts'
import { startAgent, startAttempt } from './boot.ts'
import { beginTurn, changeLast, type Draft } from './draft.ts'
import { conclude, end, interrupt } from './ends.ts'
import type { Feed } from './feed.ts'
import { addUsage } from './feed-facts.ts'
import type { Item } from './feed-items.ts'
import { deliver, receive, steerNoMore, withdraw } from './messages.ts'
import { block, endCall, startCall } from './work.ts'

/**
 * The feed with these events after it; the first ones may come from the middle of a task. Items that did not change stay the same
 * objects, and an event looks only at the last few of them, so that a long feed grows as easily as a short one. What it has already, by
 * `seq`, is left out.
 */
export function addEvents(feed: Feed, events: readonly TaskEvent[]): Feed {
  const fresh = events.filter(({ seq }) => seq > feed.lastSeq)
  if (fresh.length === 0) return feed
  const draft: Draft = { ...feed, items: [...feed.items] }
  for (const event of fresh) {
    draft.lastSeq = event.seq
    draft.lastAt = Date.parse(event.at)
    take(draft, event)
  }
  return draft
}

function take(draft: Draft, event: TaskEvent): void {
  const { lastAt: at, turn } = draft
  const key = String(event.seq)
  const push = (item: Item) => draft.items.push(item)
  switch (event.type) {
    case 'message.received':
      receive(draft, event.data, key)
      break
    case 'message.delivered':
      deliver(draft, event.data)
      break
    case 'message.withdrawn':
      withdraw(draft, event.data.messageId)
      break
    case 'attempt.started':
      beginTurn(draft, event.data.turn)
      draft.activity = 'starting'
      startAttempt(draft, event.attempt, event.data.runner, key)
      break
    case 'sandbox.ready':
      changeLast(draft, 'boot', (boot) => ({ ...boot, sandboxAt: at }))
      break
    case 'repo.cloned': {
      const { baseBranch, resumed } = event.data
      changeLast(draft, 'boot', (boot) => ({ ...boot, clonedAt: at, baseBranch, resumed }))
      break
    }
    case 'turn.started':
      draft.activity = 'thinking'
      startAgent(draft)
      break
    case 'text.written':
      draft.activity = 'thinking'
      if (event.data.text.trim() !== '') push({ kind: 'text', key, turn, text: event.data.text, answer: false })
      break
    case 'tool.started':
      draft.activity = 'working'
      startCall(draft, event.attempt, event.data, key)
      break
    case 'tool.ended':
      endCall(draft, event.data)
      break
    case 'usage.counted':
      draft.usage = addUsage(draft.usage, event.data)
      draft.turnUsage = addUsage(draft.turnUsage, event.data)
      break
    case 'host.blocked':
      block(draft, event.data, key)
      break
    case 'branch.pushed':
      push({ kind: 'pushed', key, turn, ...event.data })
      break
    case 'pull_request.opened':
      push({ kind: 'pull_request', key, turn, ...event.data })
      break
    case 'turn.ended':
      draft.turn = Math.max(turn, event.data.turn)
      draft.activity = 'finishing'
      conclude(draft, event.data, key)
      break
    case 'attempt.ended':
      if (event.data.outcome === 'interrupted') interrupt(draft, event.data, key)
      break
    case 'task.ended':
      end(draft, event.data, key)
      steerNoMore(draft)
      break
    case 'task.created':
    case 'checkpoint.saved':
      break
  }
}
