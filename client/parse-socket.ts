import type { Task } from '../contract/api/api.ts'
import type { Delta, TaskEvent } from '../contract/api/event.ts'

/**
 * The doorway of the socket. Checks by hand, and only what a client relies on: a newer server may add fields, event types and statuses, and
 * dropping such an event would leave a gap that nothing can fill. A schema library would slow down a phone's first load. Each function
 * returns null for anything that is not its kind.
 */
export function parseEvent(raw: unknown): TaskEvent | null {
  if (!isRecord(raw) || !isRecord(raw.data)) return null
  const isOne =
    isText(raw.taskId) && isCount(raw.seq) && raw.seq > 0 && isCount(raw.attempt) && isText(raw.type) && isText(raw.at)
  return isOne ? (raw as TaskEvent) : null
}

export function parseTask(raw: unknown): Task | null {
  const isOne = isRecord(raw) && isText(raw.id) && isText(raw.status) && isCount(raw.lastSeq)
  return isOne ? (raw as Task) : null
}

export function parseDelta(raw: unknown): Delta | null {
  const isOne =
    isRecord(raw) &&
    isText(raw.taskId) &&
    isCount(raw.attempt) &&
    isCount(raw.offset) &&
    typeof raw.text === 'string' &&
    (raw.callId === undefined || isText(raw.callId))
  return isOne ? (raw as Delta) : null
}

/** What the server acknowledges a call with; `value` is checked by the caller, who knows the call. */
export type Acknowledged = { ok: true; value: Readonly<Record<string, unknown>> } | { ok: false; code: string; message: string }

export function parseAcknowledged(raw: unknown): Acknowledged | null {
  if (!isRecord(raw)) return null
  if (raw.ok === true) return { ok: true, value: raw }
  if (raw.ok !== false || !isRecord(raw.error) || !isText(raw.error.code)) return null
  return { ok: false, code: raw.error.code, message: typeof raw.error.message === 'string' ? raw.error.message : raw.error.code }
}

/** @returns a field that is a whole number from 0 on; else null */
export function countIn(value: Readonly<Record<string, unknown>>, field: string): number | null {
  const count = value[field]
  return isCount(count) ? count : null
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string' && raw !== ''
}

function isCount(raw: unknown): raw is number {
  return Number.isInteger(raw) && (raw as number) >= 0
}
