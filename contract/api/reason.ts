import { z } from 'zod'
import { INTERRUPTIONS, REASONS, WILL_BE_RETRIED } from './reason-texts.ts'
import type { TaskStatus } from './status.ts'

export { REASONS }

export type Reason = keyof typeof REASONS
export const Reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]])

/** Why a task stands where it does, in plain words. A retry is promised only to a task that waits for one. */
export function reasonTextOf(status: TaskStatus, reason: Reason): string {
  return status === 'pending' && INTERRUPTIONS.includes(reason) ? `${REASONS[reason]} ${WILL_BE_RETRIED}` : REASONS[reason]
}

/** Why tasks wait that nobody takes: a person must look after a runner. An attempt that was interrupted may give one of the last three too. */
export const NOBODY_TAKES: readonly Reason[] = [
  'no_runner',
  'runner_unwell',
  'engine_unavailable',
  'image_missing',
  'host_disk_full',
]
