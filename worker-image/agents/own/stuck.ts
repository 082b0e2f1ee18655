/** One tool call and what came of it. */
export type Step = { call: string; result: string; ok: boolean }
export type Verdict = 'fine' | 'nudge' | 'stuck'

/** How often the same sequence may come before it is pointed out, and before the run is ended; `ok`: only for steps that went so. */
const LIMITS = [
  { period: 1, ok: false, nudge: 3, stuck: 5 },
  { period: 1, ok: true, nudge: 4, stuck: 6 },
  { period: 2, ok: null, nudge: 4, stuck: 6 },
  { period: 3, ok: null, nudge: 4, stuck: 6 },
] as const

/**
 * Pure. Tells whether the last steps go in a circle: the same call with the same result, or two or three of them in turn.
 * @param steps all so far, the newest last
 */
export function judgeProgress(steps: readonly Step[]): Verdict {
  const verdicts = LIMITS.map(({ period, ok, nudge, stuck }): Verdict => {
    if (ok !== null && steps.at(-1)?.ok !== ok) return 'fine'
    const rounds = repeats(steps, period)
    if (rounds >= stuck) return 'stuck'
    // Once: the next round is either something else or the end.
    return rounds === nudge ? 'nudge' : 'fine'
  })
  return verdicts.find((verdict) => verdict === 'stuck') ?? verdicts.find((verdict) => verdict === 'nudge') ?? 'fine'
}

/** @returns how many times in a row the last `period` steps have come */
function repeats(steps: readonly Step[], period: number): number {
  if (steps.length < period) return 0
  const same = (a: Step | undefined, b: Step | undefined) => a !== undefined && a.call === b?.call && a.result === b.result
  const last = steps.slice(-period)
  if (period > 1 && last.every((step) => same(step, last[0]))) return 0
  let count = 1
  while (last.every((step, index) => same(step, steps[steps.length - period * (count + 1) + index]))) count += 1
  return count
}

/** What the model is told at a nudge. */
export const STUCK_NOTICE =
  'Errand: you have made the same call with the same result several times. It will not come out differently. Look at what the result says, and try another way; if there is none, end your turn and say what stands in the way.'

/** @returns a result without the times in it, which differ when nothing else does */
export function withoutTimes(text: string): string {
  return text.replace(/\d+(\.\d+)?\s?(ms|s|sec|seconds|m)\b/g, '#')
}
