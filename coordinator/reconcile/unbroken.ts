/** The two clocks of a process, ms: the wall's, which can be set, and one that only runs on, but stands still while the machine sleeps. */
export type Clocks = () => { wallMs: number; steadyMs: number }

const clocks: Clocks = () => ({ wallMs: Date.now(), steadyMs: performance.now() })

/**
 * How long this process has looked on without a break, told at each look, ms. A break is whatever makes the time between two looks
 * say nothing about the others: the process stood still, the machine slept, or somebody set the clock.
 * @param breakMs what is longer between two looks, or a clock that is off by more, is a break
 */
export function watchUnbroken(breakMs: number, read: Clocks = clocks): () => number {
  let last = read()
  let since = last.steadyMs
  return () => {
    const now = read()
    const steadyMs = now.steadyMs - last.steadyMs
    const setMs = Math.abs(now.wallMs - last.wallMs - steadyMs)
    if (Math.max(steadyMs, setMs) > breakMs) since = now.steadyMs
    last = now
    return now.steadyMs - since
  }
}
