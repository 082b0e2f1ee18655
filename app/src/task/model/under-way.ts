import type { TaskStatus } from '../../../../contract/api/status.ts'

/** @returns whether the task waits or runs, so that there is something to stop, to steer and to queue behind */
export function isUnderWay(status: TaskStatus): boolean {
  return status === 'pending' || status === 'running'
}
