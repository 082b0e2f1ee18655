import type { NewEvent, TaskEvent } from '../contract/event.ts'
import type { Ended } from './fold-event.ts'

/** The events of an attempt that {@link closePairs} needs to see. */
export const PAIRED = ['turn.started', 'turn.ended', 'tool.started', 'tool.ended'] as const

/**
 * What closes the pairs that an attempt left open when it ended without a word, so that they nest in every history. What a cut-off
 * tool did is not known.
 * @param events of one attempt, in order
 */
export const closePairs = (events: readonly TaskEvent[], ended: Ended, now: number): NewEvent[] => {
  const tools = new Map<string, NewEvent>()
  let turn: NewEvent | null = null
  for (const event of events) {
    if (event.type === 'tool.started') tools.set(event.data.callId, cutOffTool(event, now))
    if (event.type === 'tool.ended') tools.delete(event.data.callId)
    if (event.type === 'turn.started') turn = cutOffTurn(event.data.turn, ended)
    if (event.type === 'turn.ended') turn = null
  }
  return [...[...tools.values()].reverse(), ...(turn ? [turn] : [])]
}

const cutOffTool = ({ data, at }: Extract<TaskEvent, { type: 'tool.started' }>, now: number): NewEvent => ({
  type: 'tool.ended',
  data: {
    callId: data.callId,
    name: data.name,
    ok: false,
    output: 'Cut off: what it did is not known.',
    outputBytes: 0,
    exitCode: null,
    durationMs: Math.max(0, now - Date.parse(at)),
  },
})

const cutOffTurn = (turn: number, { outcome, reason, message }: Ended): NewEvent => ({
  type: 'turn.ended',
  data: { turn, outcome, reason, summary: '', message, diff: null },
})
