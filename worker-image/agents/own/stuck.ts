/** One call and its result. `waited`: it took its time, as for a long build; to wait is not to go in a circle. */
export type CallRecord = { call: string; result: string; ok: boolean; waited?: boolean }
export type Verdict = 'fine' | 'nudge' | 'stuck'

/**
 * How often the same sequence of calls may repeat before the model is warned, and before the turn ends; `ok`: the limit for calls that
 * succeeded.
 */
const LIMITS = [
  { period: 1, ok: false, nudge: 3, stuck: 5 },
  { period: 1, ok: true, nudge: 4, stuck: 6 },
  { period: 2, ok: null, nudge: 4, stuck: 6 },
  { period: 3, ok: null, nudge: 4, stuck: 6 },
] as const

/**
 * Pure. Detects calls that go in a circle: the same call with the same result, or two or three of them alternating.
 * @param calls all so far, the newest last
 */
export function judgeProgress(calls: readonly CallRecord[]): Verdict {
  const verdicts = LIMITS.map(({ period, ok, nudge, stuck }): Verdict => {
    if (ok !== null && calls.at(-1)?.ok !== ok) return 'fine'
    const rounds = repeats(calls, period)
    if (rounds >= stuck) return 'stuck'
    // Only once: the next round is either something else or the end.
    return rounds === nudge ? 'nudge' : 'fine'
  })
  return verdicts.find((verdict) => verdict === 'stuck') ?? verdicts.find((verdict) => verdict === 'nudge') ?? 'fine'
}

/** @returns how many times in a row the last `period` calls have come */
function repeats(calls: readonly CallRecord[], period: number): number {
  if (calls.length < period) return 0
  const same = (a: CallRecord | undefined, b: CallRecord | undefined) =>
    a !== undefined && !a.waited && a.call === b?.call && a.result === b.result
  const last = calls.slice(-period)
  if (period > 1 && last.every((call) => same(call, last[0]))) return 0
  let count = 1
  while (last.every((call, index) => same(call, calls[calls.length - period * (count + 1) + index]))) count += 1
  return count
}

/** A call that takes this long costs so much time that the limit on time ends a circle of them. */
const LONG_MS = 5_000
const PAUSE = /\b(sleep|wait|wait_ms|timeout)\b/

/** Pure. @returns whether a call waited for something: it took long, or it is a pause by what it says */
export function hasWaited(call: string, ms: number): boolean {
  return ms >= LONG_MS || (ms >= 1_000 && PAUSE.test(call))
}

/** The warning for the model. */
export const STUCK_NOTICE =
  'Errand: you have made the same call with the same result several times, and the result will not change. Read it and try another way. If there is none, end your turn and say what is in the way.'

/** @returns a result without its times, which may be the only difference */
export function withoutTimes(text: string): string {
  return text.replace(/\d+(\.\d+)?\s?(ms|s|sec|seconds|m)\b/g, '#')
}
