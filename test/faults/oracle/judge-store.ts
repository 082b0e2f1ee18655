import { isEnded } from '../../../contract/api/status.ts'
import { brokenPairs } from '../../support/checks/event-list.ts'
import type { SeenEvent, SeenTask, SeenUsage, StoredRow } from './seen.ts'

/** What the store itself must hold of a task: a deserved end, attempts and events without a hole, pairs that nest, every cost once. */
export function judgeStored({ deserves, oneAttempt }: SeenTask, stored: StoredRow): string[] {
  const { status, reason, attempts, events } = stored
  if (!isEnded(status)) return [`it is still ${status} (${reason ?? 'no reason'})`]
  const faults: string[] = []
  if (!deserves.includes(status)) faults.push(`it ended as ${status} (${reason}), and deserved ${deserves.join(' or ')}`)
  if (oneAttempt && attempts.length > 1) faults.push(`it took ${attempts.length} attempts: ${attempts.map(shown).join(', ')}`)
  const numbers = attempts.map(({ attempt }) => attempt)
  if (!isCounted(numbers) || stored.attempt !== attempts.length) faults.push(`its attempts are numbered ${numbers.join(', ')}`)
  for (const attempt of attempts) if (attempt.ended_at === null) faults.push(`attempt ${attempt.attempt} never ended`)
  return [...faults, ...judgeEvents(stored, events)]
}

/** REST and the socket client have the store's list: each event once, in order, with the same content. */
export function judgeLists({ rest, heard }: SeenTask, { events }: StoredRow): string[] {
  return [...differences('REST', rest, events), ...differences('the socket client', heard, events)]
}

function judgeEvents({ lastSeq, attempts, costUsd }: StoredRow, events: readonly SeenEvent[]): string[] {
  const faults: string[] = []
  const seqs = events.map(({ seq }) => seq)
  if (!isCounted(seqs) || lastSeq !== seqs.length)
    faults.push(`its events are numbered ${seqs.join(',')}, the last is ${lastSeq}`)
  for (const { attempt, last_n, reason } of attempts) {
    const ns = events.flatMap((event) => (event.attempt === attempt && event.n !== null ? [event.n] : []))
    // What a lost runner sends after all counts as heard, and only its cost is taken.
    const isWhole = reason === 'runner_lost' ? ns.length <= last_n : ns.length === last_n
    if (!isCounted(ns) || !isWhole) faults.push(`of attempt ${attempt}, the runner's events are ${ns.join(',')} of ${last_n}`)
  }
  const ends = events.filter(({ type }) => type === 'task.ended').length
  if (ends !== 1 || events.at(-1)?.type !== 'task.ended')
    faults.push(`task.ended comes ${ends} times, and last is ${events.at(-1)?.type}`)
  faults.push(...brokenPairs(events).map((pair) => `a pair does not nest: ${pair}`))
  const counted = usagesOf(events).reduce((sum, usage) => sum + usage.costUsd, 0)
  if (Math.abs(counted - costUsd) > 1e-6)
    faults.push(`its events cost $${counted.toFixed(6)}, and the task $${costUsd.toFixed(6)}`)
  return faults
}

export function usagesOf(events: readonly SeenEvent[]): SeenUsage[] {
  return events.flatMap(({ type, data }) => (type === 'usage.counted' ? [data as unknown as SeenUsage] : []))
}

function differences(who: string, list: readonly SeenEvent[], stored: readonly SeenEvent[]): string[] {
  const at = stored.findIndex((event, index) => contentOf(event) !== contentOf(list[index]))
  if (at >= 0) return [`${who} has ${nameOf(list[at])} where the store has ${nameOf(stored[at])}`]
  return list.length > stored.length ? [`${who} has ${list.length - stored.length} events more than the store`] : []
}

function contentOf(event: SeenEvent | undefined): string {
  return JSON.stringify([event?.seq, event?.attempt, event?.type, sorted(event?.data)])
}

/** With the keys in order: two parsers may see the same object. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}

function nameOf(event: SeenEvent | undefined): string {
  return event ? `event ${event.seq} (${event.type})` : 'nothing'
}

function shown({ attempt, outcome, reason }: StoredRow['attempts'][number]): string {
  return `${attempt} ${outcome ?? 'open'} (${reason ?? 'no reason'})`
}

/** Whether these are 1, 2, 3… */
function isCounted(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => number === index + 1)
}
