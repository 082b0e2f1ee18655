import { usagesOf } from './judge-store.ts'
import type { ModelCall, SeenTask, StoredRow } from './seen.ts'

/**
 * What the model saw. Within an attempt, a conversation only grows: each call continues the one before, or is that one again because its answer
 * never arrived. A call that was answered and paid for is not made again.
 */
export function judgeCalls({ calls }: SeenTask, stored: StoredRow): string[] {
  return stored.attempts.flatMap(({ attempt, started_at }, index) => {
    const until = stored.attempts[index + 1]?.started_at ?? Number.POSITIVE_INFINITY
    const own = calls.filter(({ at }) => at >= started_at && at < until)
    const settled = usagesOf(stored.events.filter((event) => event.attempt === attempt)).filter(({ estimated }) => !estimated)
    const different = new Set(own.map(wholeOf)).size
    const twice = settled.length > different ? [`attempt ${attempt} paid for ${settled.length} calls, and made ${different}`] : []
    return [...twice, ...own.flatMap((call, at) => judgeCall(attempt, own[at - 1], call))]
  })
}

function judgeCall(attempt: number, before: ModelCall | undefined, call: ModelCall): string[] {
  if (!before || continues(before, call)) return []
  const what = continues(call, before)
    ? 'asked the model again what it had answered'
    : 'sent a conversation that does not continue the last one'
  return [`attempt ${attempt} ${what} (${call.hashes.length - 1} messages after ${before.hashes.length - 1})`]
}

function continues(before: ModelCall, call: ModelCall): boolean {
  return call.hashes[before.hashes.length - 1] === wholeOf(before)
}

function wholeOf({ hashes }: ModelCall): string {
  return hashes.at(-1) ?? ''
}
