/** Times in microseconds; `tdur` is what the thread itself worked, without what other programs took of the processor. */
type TraceEvent = { name: string; ph: string; pid: number; tid: number; ts: number; dur?: number; tdur?: number }

/**
 * @param trace of one page, with its marks `delta`
 * @returns of each mark the milliseconds that its thread worked from the one that holds it to the one that holds the next mark
 */
export function costs({ traceEvents }: { traceEvents: TraceEvent[] }): number[] {
  const marks = traceEvents.filter(({ name, ph }) => name === 'delta' && ph !== 'M').sort((a, b) => a.ts - b.ts)
  const [first] = marks
  if (!first) throw new Error('no delta is in the trace')
  const tasks = traceEvents.filter(
    ({ name, pid, tid, dur }) => name === 'RunTask' && dur !== undefined && pid === first.pid && tid === first.tid,
  )
  if (tasks.length === 0) throw new Error('no task of the main thread is in the trace')
  const sums = marks.map(() => 0)
  for (const { ts, dur = 0, tdur = dur } of tasks) {
    const at = marks.findLastIndex((mark) => mark.ts <= ts + dur)
    if (at >= 0) sums[at] = (sums[at] ?? 0) + tdur / 1_000
  }
  return sums
}
