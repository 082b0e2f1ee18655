/** What a rate came to: how long the slowest of a hundred took, or why that could not be measured. */
export type Tried = { p99: number } | { fault: string }

/** `highest`: null when not even the lowest rate was within the bound, or none could be measured; `why` says which. */
export type Climb = { highest: number; why: null } | { highest: null; why: string }

/**
 * Tries rates from the lowest on. One sample over the bound may be the machine's doing: a rate has failed only when each of `tries` has.
 * @param say told of every try
 */
export async function climb(
  { rates, boundMs, tries = 3 }: { rates: readonly number[]; boundMs: number; tries?: number },
  measure: (rate: number) => Promise<number>,
  say: (rate: number, tried: Tried) => void,
): Promise<Climb> {
  let highest: number | null = null
  for (const rate of rates) {
    const failures: Tried[] = []
    let held = false
    while (!held && failures.length < tries) {
      const tried = await measure(rate).then(resultOf, (error: unknown) => ({ fault: String(error) }))
      say(rate, tried)
      held = 'p99' in tried && tried.p99 < boundMs
      if (!held) failures.push(tried)
    }
    if (!held) return highest === null ? { highest, why: failureOf(rate, boundMs, failures) } : { highest, why: null }
    highest = rate
  }
  return highest === null ? { highest, why: 'no rate was tried' } : { highest, why: null }
}

function resultOf(p99: number): Tried {
  return Number.isFinite(p99) ? { p99 } : { fault: 'no event arrived' }
}

function failureOf(rate: number, boundMs: number, failures: readonly Tried[]): string {
  const measured = failures.flatMap((tried) => ('p99' in tried ? [tried.p99] : []))
  if (measured.length === 0) return failures.map((tried) => ('fault' in tried ? tried.fault : '')).at(-1) ?? ''
  return `at the lowest rate, ${rate}, p99 was ${Math.min(...measured).toFixed(0)} ms at best (bound ${boundMs} ms)`
}
