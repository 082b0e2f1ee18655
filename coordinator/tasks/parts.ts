import type { Logger } from 'pino'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Config } from '../process/config.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { Refusal } from '../process/errors.ts'
import type { Dispatch } from '../queue/dispatch.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { findTaskOfUser, type TaskRow } from '../store/tasks.ts'
import type { SendToRunner } from '../wire/send-to-runner.ts'

/** What the use cases of a task work with. */
export type TaskParts = {
  config: Config
  demoRepoUrl: string
  db: Store
  ledger: Ledger
  dispatch: Dispatch
  artifacts: Artifacts
  disk: DiskSpace
  sendToRunner: SendToRunner
  log: Logger
}

/** Every use case begins here. @throws Refusal `not_found`, also for another user's task */
export async function findOwnTask(db: Store, userId: string, taskId: string): Promise<TaskRow> {
  const row = await findTaskOfUser(db, userId, taskId)
  if (!row) throw new Refusal('not_found', 'Task not found.')
  return row
}
