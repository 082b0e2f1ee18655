import type { NewEvent } from '../../contract/api/event.ts'
import type { End } from '../../contract/wire/end.ts'
import type { PairRow } from '../store/events.ts'

/**
 * Closes the pairs that an attempt left open when it ended silently, so that pairs nest in every history.
 * @param pairs of one attempt, in order
 */
export function closePairs(pairs: readonly PairRow[], end: End, now: number): NewEvent[] {
  const tools = new Map<string, NewEvent>()
  let turn: NewEvent | null = null
  let waitingSince: number | null = null
  for (const row of pairs) {
    if (row.type === 'tool.started') tools.set(row.callId, cutOffTool(row, now))
    if (row.type === 'tool.ended') tools.delete(row.callId)
    if (row.type === 'model.waiting') waitingSince ??= row.at
    if (row.type === 'model.resumed') waitingSince = null
    if (row.type === 'turn.started') turn = cutOffTurn(row.turn, end)
    if (row.type === 'turn.ended') turn = null
  }
  return [...[...tools.values()].reverse(), ...cutOffWait(waitingSince, now), ...(turn ? [turn] : [])]
}

function cutOffTool({ callId, name, at }: Extract<PairRow, { callId: string }>, now: number): NewEvent {
  return {
    type: 'tool.ended',
    data: {
      callId,
      name,
      ok: false,
      output: 'Cut off: its effect is unknown.',
      outputBytes: 0,
      exitCode: null,
      durationMs: Math.max(0, now - at),
      cutOff: true,
    },
  }
}

function cutOffWait(since: number | null, now: number): NewEvent[] {
  if (since === null) return []
  return [{ type: 'model.resumed', data: { waitedMs: Math.max(0, now - since), answered: false } }]
}

function cutOffTurn(turn: number, { outcome, reason, message }: End): NewEvent {
  return {
    type: 'turn.ended',
    data: { turn, outcome, reason, summary: '', message, diff: null },
  }
}
