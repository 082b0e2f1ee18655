import { cutText } from '../../contract/shared/characters.ts'
import { MODEL_AWAY_MS } from '../../contract/wire/deadlines.ts'
import type { End } from '../../contract/wire/end.ts'
import type { Parked } from '../store/attempts.ts'

/** How often one turn may wait in the queue for the model, however short the waits are. */
export const MAX_PARKED = 200

/** Used if the runner named no time that can be read. */
const UNNAMED_MS = 60_000

/** What an attempt that ended because the model did not answer means for its turn: until when it waits, or why it waits no longer. */
export type Parking = { until: number } | { tooLong: string }

/**
 * Pure. The runner computes the time; here it is bounded. All waits of a turn together may take {@link MODEL_AWAY_MS}.
 * @param before of the same turn
 */
export function park({ until, message }: End, before: Parked, now: number, mostMs: number = MODEL_AWAY_MS): Parking {
  const named = until === undefined ? Number.NaN : Date.parse(until)
  const back = Number.isNaN(named) ? now + UNNAMED_MS : Math.max(now, named)
  if (before.ms + (back - now) <= mostMs && before.count < MAX_PARKED) return { until: back }
  const waited = `Errand waited for the model for ${hoursOf(before.ms)} in total.`
  const next = back - now > mostMs - before.ms && back - now > 60_000 ? ` The next try would be in ${hoursOf(back - now)}.` : ''
  return { tooLong: cutText(`${waited}${next}${message === null ? '' : ` Its last answer: ${message}`}`, 2_000) }
}

function hoursOf(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} minute${minutes === 1 ? '' : 's'}`
  return `${Math.round(minutes / 60)} hours`
}
