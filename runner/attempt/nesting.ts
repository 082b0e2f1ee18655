import type { EventData, NewEvent } from '../../contract/api/event.ts'
import { type AttemptEnd, type StopCause, turnEnd } from './attempt-end.ts'

export type Nesting = {
  /** @returns what may be said for an event: itself, with what must come before it; or nothing, when it fits nowhere */
  admit: (event: NewEvent, stop?: StopCause | null) => NewEvent[]
  /** @returns what still has to be said, so that every pair that was opened is closed: `attempt.ended` last. Empty when it was said already. */
  close: (end: AttemptEnd) => NewEvent[]
  /** The agent's last word on the turn, as admitted; null until then. */
  turnEnd: () => AttemptEnd | null
}

/**
 * Keeps the events of one attempt a tree, whatever the sandbox says: `turn.started … turn.ended` once, tools inside it, nothing of the
 * agent after it.
 */
export function nesting(turn: number, model: string): Nesting {
  const openTools = new Map<string, { name: string; since: number }>()
  let turnState: 'before' | 'open' | 'over' = 'before'
  let ended: AttemptEnd | null = null
  let attemptOver = false

  const closeTools = (): NewEvent[] => {
    const cut = [...openTools].map(([callId, tool]) => cutOff(callId, tool))
    openTools.clear()
    return cut
  }

  const startTurn = (): NewEvent[] => {
    if (turnState !== 'before') return []
    turnState = 'open'
    return [{ type: 'turn.started', data: { turn, model } }]
  }

  const startTool = (event: NewEvent & { type: 'tool.started' }): NewEvent[] => {
    if (turnState !== 'open' || openTools.has(event.data.callId)) return []
    openTools.set(event.data.callId, { name: event.data.name, since: performance.now() })
    return [event]
  }

  const endTool = (event: NewEvent & { type: 'tool.ended' }): NewEvent[] => (openTools.delete(event.data.callId) ? [event] : [])

  const endTurn = (said: EventData<'turn.ended'>, stop: StopCause | null): NewEvent[] => {
    if (turnState === 'over') return []
    const before = [...startTurn(), ...closeTools()]
    turnState = 'over'
    ended = turnEnd({ outcome: said.outcome, reason: said.reason, message: said.message }, stop)
    return [...before, { type: 'turn.ended', data: { ...said, ...ended, turn } }]
  }

  return {
    admit: (event, stop = null) => {
      if (attemptOver) return []
      switch (event.type) {
        case 'turn.started':
          return startTurn()
        case 'turn.ended':
          return endTurn(event.data, stop)
        case 'tool.started':
          return startTool(event)
        case 'tool.ended':
          return endTool(event)
        case 'text.written':
          return turnState === 'over' ? [] : [event]
        case 'attempt.ended':
          attemptOver = true
          return [event]
        default:
          return [event]
      }
    },
    close: (end) => {
      if (attemptOver) return []
      attemptOver = true
      const tail: NewEvent[] = closeTools()
      if (turnState === 'open') tail.push({ type: 'turn.ended', data: { turn, ...end, summary: '', diff: null } })
      turnState = 'over'
      return [...tail, { type: 'attempt.ended', data: end }]
    },
    turnEnd: () => ended,
  }
}

function cutOff(callId: string, tool: { name: string; since: number }): NewEvent {
  return {
    type: 'tool.ended',
    data: {
      callId,
      name: tool.name,
      ok: false,
      output: 'Cut off: the attempt ended while it ran, and what came of it is not known.',
      outputBytes: 0,
      exitCode: null,
      durationMs: Math.round(performance.now() - tool.since),
      cutOff: true,
    },
  }
}
