import type { TaskStatus } from '../../../../contract/status.ts'

/** @returns whether the task waits or runs, so that there is something to stop, to steer and to queue behind */
export const isUnderWay = (status: TaskStatus): boolean => status === 'pending' || status === 'running'
