import type { EventData, NewEvent } from '../../contract/api/event.ts'
import type { End } from '../../contract/wire/end.ts'
import { type StopCause, turnEnd } from './attempt-end.ts'

export type Nesting = {
  /** @returns the events to emit for this one: those that must come before it, and itself; nothing if it does not fit */
  admit: (event: NewEvent, stop?: StopCause | null) => NewEvent[]
  /** @returns the events that close every open pair, `attempt.ended` last; nothing when the attempt was closed before */
  close: (end: End) => NewEvent[]
  /** How the agent reported the end of its turn, as admitted; null until then. */
  turnEnd: () => End | null
  /** Takes note of an event that an earlier process emitted. */
  restore: (event: NewEvent) => void
}

type Tree = {
  readonly turn: number
  readonly model: string
  readonly openTools: Map<string, { name: string; since: number }>
  /** Since when the agent waits for the model; null while it does not. */
  waitingSince: number | null
  turnState: 'before' | 'open' | 'over'
  turnEnd: End | null
  isOver: boolean
}

/**
 * Makes the events of one attempt a tree, whatever the sandbox prints: `turn.started … turn.ended` once, tools inside, and no event of the
 * agent afterwards.
 */
export function createNesting(turn: number, model: string): Nesting {
  const tree: Tree = { turn, model, openTools: new Map(), waitingSince: null, turnState: 'before', turnEnd: null, isOver: false }
  return {
    admit: (event, stop = null) => admit(tree, event, stop),
    close: (end) => close(tree, end),
    turnEnd: () => tree.turnEnd,
    restore: (event) => {
      admit(tree, event, null)
      // It was judged before it was emitted.
      if (event.type === 'turn.ended') tree.turnEnd = endIn(event.data)
    },
  }
}

function admit(tree: Tree, event: NewEvent, stop: StopCause | null): NewEvent[] {
  if (tree.isOver) return []
  switch (event.type) {
    case 'turn.started':
      return startTurn(tree)
    case 'turn.ended':
      return endTurn(tree, event.data, stop)
    case 'tool.started':
      return startTool(tree, event)
    case 'tool.ended':
      return tree.openTools.delete(event.data.callId) ? [event] : []
    case 'model.waiting':
      if (tree.turnState !== 'open') return []
      tree.waitingSince ??= performance.now()
      return [event]
    case 'model.resumed':
      return closeWait(tree, event.data.answered)
    case 'text.written':
    case 'note.written':
      return tree.turnState === 'over' ? [] : [event]
    case 'attempt.ended':
      tree.isOver = true
      return [event]
    default:
      return [event]
  }
}

function close(tree: Tree, end: End): NewEvent[] {
  if (tree.isOver) return []
  tree.isOver = true
  const tail = closeOpen(tree)
  if (tree.turnState === 'open') tail.push({ type: 'turn.ended', data: { turn: tree.turn, ...end, summary: '', diff: null } })
  tree.turnState = 'over'
  return [...tail, { type: 'attempt.ended', data: end }]
}

function startTurn(tree: Tree): NewEvent[] {
  if (tree.turnState !== 'before') return []
  tree.turnState = 'open'
  return [{ type: 'turn.started', data: { turn: tree.turn, model: tree.model } }]
}

function endTurn(tree: Tree, data: EventData<'turn.ended'>, stop: StopCause | null): NewEvent[] {
  if (tree.turnState === 'over') return []
  const before = [...startTurn(tree), ...closeOpen(tree)]
  tree.turnState = 'over'
  tree.turnEnd = turnEnd(endIn(data), stop)
  return [...before, { type: 'turn.ended', data: { ...data, ...tree.turnEnd, turn: tree.turn } }]
}

function endIn({ outcome, reason, message, until }: EventData<'turn.ended'>): End {
  return { outcome, reason, message, ...(until && { until }) }
}

function startTool({ openTools, turnState }: Tree, event: NewEvent & { type: 'tool.started' }): NewEvent[] {
  const { callId, name } = event.data
  if (turnState !== 'open' || openTools.has(callId)) return []
  openTools.set(callId, { name, since: performance.now() })
  return [event]
}

function closeOpen(tree: Tree): NewEvent[] {
  return [...closeTools(tree), ...closeWait(tree, false)]
}

function closeWait(tree: Tree, answered: boolean): NewEvent[] {
  if (tree.waitingSince === null) return []
  const waitedMs = Math.round(performance.now() - tree.waitingSince)
  tree.waitingSince = null
  return [{ type: 'model.resumed', data: { waitedMs, answered } }]
}

function closeTools({ openTools }: Tree): NewEvent[] {
  const cut = [...openTools].map(([callId, tool]) => cutOff(callId, tool))
  openTools.clear()
  return cut
}

function cutOff(callId: string, { name, since }: { name: string; since: number }): NewEvent {
  return {
    type: 'tool.ended',
    data: {
      callId,
      name,
      ok: false,
      output: 'Cut off: the attempt ended while it ran, and its effect is unknown.',
      outputBytes: 0,
      exitCode: null,
      durationMs: Math.round(performance.now() - since),
      cutOff: true,
    },
  }
}
