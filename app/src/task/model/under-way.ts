import type { TaskStatus } from '../../../../contract/api/status.ts'

/** @returns whether the task waits or runs, so that it can be cancelled, steered and queued behind */
export function isUnderWay(status: TaskStatus): boolean {
  return status === 'pending' || status === 'running'
}
