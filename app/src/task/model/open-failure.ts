import { type Call, hasFailed, type Item } from './feed-items.ts'

/** Identifies a call in the rows and in the user's choices. */
export function callKey({ attempt, callId }: Pick<Call, 'attempt' | 'callId'>): string {
  return `${attempt}-${callId}`
}

/** @returns the key of the failed call that opens by itself: the last thing the agent did. Null if there is none or the agent went on. */
export function openFailureOf(items: readonly Item[]): string | null {
  const last = items.findLast(({ kind }) => kind === 'work' || kind === 'text' || kind === 'boot')
  const call = last?.kind === 'work' ? last.calls.at(-1) : undefined
  return call && hasFailed(call) ? callKey(call) : null
}

/**
 * The failures that are open by themselves. Nothing folds while the user reads further up, because that would move what they read.
 * @returns the same set if nothing changed
 */
export function shownFailures(before: ReadonlySet<string>, now: string | null, atEnd: boolean): ReadonlySet<string> {
  const next = new Set([...(atEnd ? [] : before), ...(now === null ? [] : [now])])
  return next.size === before.size && [...next].every((key) => before.has(key)) ? before : next
}
