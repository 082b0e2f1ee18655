import * as z from 'zod'
import { FORMER_REASONS, INTERRUPTIONS, REASONS } from './reason-texts.ts'
import type { TaskStatus } from './status.ts'

export { REASONS }

export type Reason = keyof typeof REASONS

/** Also reads the names of earlier versions: an event may have waited in a spool since then. */
export const Reason = z.preprocess(
  (name) => (typeof name === 'string' ? (FORMER_REASONS[name] ?? name) : name),
  z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]),
)

/** Why a task has its status, in plain words. Promises a retry only to a task that waits for one. */
export function reasonTextOf(status: TaskStatus, reason: Reason): string {
  const text = REASONS[reason]
  if (status !== 'pending' || !INTERRUPTIONS.includes(reason)) return text
  return `Interrupted: ${text.charAt(0).toLowerCase()}${text.slice(1)} Retrying automatically.`
}

/** Reasons for which no runner takes a task until a person fixes something. The three before the last can also end an interrupted attempt. */
export const NOBODY_TAKES: readonly Reason[] = [
  'no_runner',
  'runner_unwell',
  'runner_outdated',
  'runner_draining',
  'engine_unavailable',
  'image_missing',
  'host_disk_full',
  'coordinator_disk_full',
]
