import { words } from '../words.ts'
import { codeOf, isAway, isPassing } from './api-error.ts'
import type { Unsent } from './outbox.ts'

/** Which of the items may go out now, what becomes of one that did not get through, and when it is tried again. Nothing here waits or sends. */

const FIRST_PAUSE_MS = 2_000
/** However long the network is away, a look at it every quarter of a minute costs nothing. */
const LONGEST_PAUSE_MS = 15_000

/** @returns whether the server does not have it, and a person has not been told that it failed */
export function isWanted({ state }: Unsent): boolean {
  return state === 'sending' || state === 'waiting'
}

/**
 * What is said to one task arrives in the order in which it was said; a new task waits for nothing.
 * @returns the first that goes where this one goes
 */
export function nextOf(item: Unsent, items: readonly Unsent[]): Unsent | undefined {
  return queueOf(item, items)[0]
}

/** @returns whether it is its turn, and nothing is on its way to the same task */
export function goesOut(item: Unsent, items: readonly Unsent[], underWay: ReadonlySet<string>): boolean {
  const queue = queueOf(item, items)
  return queue[0] === item && !queue.some(({ clientId }) => underWay.has(clientId))
}

/** What waits for the network, the server or a sign-in waits without a limit. Only a refusal is final. */
export function afterFault(error: unknown): Pick<Unsent, 'state' | 'error'> {
  if (codeOf(error) === 'unauthorized') return { state: 'waiting', error: words.outbox.signedOut }
  if (isAway(error)) return { state: 'waiting', error: words.outbox.away }
  const sentence = error instanceof Error ? error.message : words.common.unknownFault
  return isPassing(error) ? { state: 'waiting', error: words.outbox.later(sentence) } : { state: 'failed', error: sentence }
}

/** @param tries how often it was tried in a row, without a sign of the network in between */
export function pauseMs(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS)
}

/** @returns what goes where this one goes, in its order */
export function queueOf(item: Unsent, items: readonly Unsent[]): readonly Unsent[] {
  if (item.kind === 'task') return isWanted(item) ? [item] : []
  return items.filter((one) => one.kind === 'message' && one.taskId === item.taskId && isWanted(one))
}
