import type { EventData } from '../../../../contract/api/event.ts'
import { stopBoot, waitingBoot } from './boot.ts'
import type { Draft } from './feed.ts'
import { cancelCalls } from './work.ts'

/** The summary mostly repeats the last text; then that text is the answer. */
export function conclude(draft: Draft, data: EventData<'turn.ended'>, key: string): void {
  draft.verdict = data
  if (data.outcome === 'cancelled') cancelCalls(draft)
  const summary = data.summary.trim()
  if (summary === '') return
  // 0: the turn's beginning is among the events that were not loaded.
  const at = draft.items.findLastIndex(({ kind, turn }) => kind === 'text' && (turn === draft.turn || turn === 0))
  const text = draft.items[at]
  if (text?.kind === 'text' && text.text.trim() === summary) draft.items[at] = { ...text, answer: true }
  else draft.items.push({ kind: 'text', key, turn: draft.turn, text: data.summary, answer: true, cutOff: false })
}

export function interrupt(draft: Draft, data: EventData<'attempt.ended'>, key: string): void {
  const { reason, message, until = null } = data
  stopBoot(draft)
  draft.items.push({ kind: 'interrupted', key, turn: draft.turn, reason, message, until })
  // A turn that waits for the model is not in line.
  if (until === null) draft.items.push(waitingBoot(draft, key))
  draft.activity = 'waiting'
}

export function end(draft: Draft, data: EventData<'task.ended'>, key: string): void {
  const { status, reason, branch } = data
  draft.turn = Math.max(draft.turn, data.turn)
  stopBoot(draft)
  if (status === 'cancelled') cancelCalls(draft)
  draft.items.push({
    kind: 'end',
    key,
    seq: draft.lastSeq,
    turn: draft.turn,
    status,
    reason,
    branch,
    message: data.message ?? draft.verdict?.message ?? null,
    diff: draft.verdict?.diff ?? null,
    isOwnAccount: draft.verdict?.commit === null,
    usage: draft.turnStartedAt === 0 ? null : draft.turnUsage,
    durationMs: draft.turnStartedAt === 0 ? null : Math.max(0, draft.lastAt - draft.turnStartedAt),
  })
  Object.assign(draft, { activity: 'ended', plan: [] })
}
