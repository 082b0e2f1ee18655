import { z } from 'zod'
import { REASONS } from './reason-texts.ts'

export { REASONS }

export type Reason = keyof typeof REASONS
export const Reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]])

/** Why tasks wait that nobody takes: a person must look after a runner. An attempt that was interrupted may give one of the last three too. */
export const NOBODY_TAKES: readonly Reason[] = [
  'no_runner',
  'runner_unwell',
  'engine_unavailable',
  'image_missing',
  'host_disk_full',
]
