import type { Notifications } from '../../contract/api/api.ts'
import type { Reason } from '../../contract/api/reason.ts'
import type { TaskStatus } from '../../contract/api/status.ts'
import { cutCharacters } from '../../contract/shared/characters.ts'

/** The occasions for a notification. `attention`: the task continues only if the person does something. */
export type Occasion = 'done' | 'failed' | 'attention'

/** Ends after which the task can continue once its user has changed something. */
const UP_TO_THE_PERSON: ReadonlySet<Reason> = new Set<Reason>([
  'repository_not_found',
  'credentials_refused',
  'base_branch_not_found',
  'push_refused',
  'model_key_refused',
  'model_payment_refused',
  'model_credit_empty',
  'model_not_found',
  'budget_exceeded',
  'time_exceeded',
  'steps_exceeded',
  'restored',
])

/** @returns which occasions the end of a turn is; none if its user cancelled it */
export function occasionsOfEnd(status: TaskStatus, reason: Reason): readonly Occasion[] {
  if (status === 'completed') return ['done']
  if (status !== 'failed') return []
  return UP_TO_THE_PERSON.has(reason) ? ['failed', 'attention'] : ['failed']
}

/** @param inFront whether the user is looking at the task */
export function shouldNotify(occasions: readonly Occasion[], wanted: Notifications, inFront: boolean): boolean {
  const isWanted = { done: wanted.onDone, failed: wanted.onFailed, attention: wanted.onAttention }
  return !inFront && occasions.some((occasion) => isWanted[occasion])
}

/** The text of a notification, and where a tap on it leads. */
export type Notice = { title: string; body: string; taskId: string; url: string }

const TITLE_CHARS = 80

/** Only the first line of the prompt leaves the server, because others may read a lock screen. */
export function titleOf(prompt: string): string {
  const line = prompt.trim().split(/[\r\n]/, 1)[0] ?? ''
  return cutCharacters(line.replaceAll(/\p{Cc}/gu, ' ').trim(), TITLE_CHARS)
}
