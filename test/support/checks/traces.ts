import { join } from 'node:path'
import { execa } from 'execa'
import { LABELS } from '../../../contract/wire/names.ts'
import type { AttemptRow } from '../../../coordinator/store/attempts.ts'
import type { TaskRow } from '../../../coordinator/store/tasks.ts'
import { withSqlite } from '../systems/database.ts'

/* What a task has in the store and on the engine, read without the coordinator and the runner, which may be dead. */

export type StoredTask = Pick<TaskRow, 'status' | 'attempt'> & { attempts: AttemptRow[]; eventTypes: string[] }

export function storedTask(dataDir: string, taskId: string): StoredTask {
  return withSqlite(join(dataDir, 'errand.db'), (database) => {
    const task = database.prepare<[string], TaskRow>('select * from tasks where id = ?').get(taskId)
    if (!task) throw new Error(`the store has no task ${taskId}`)
    const attempts = database.prepare<[string], AttemptRow>('select * from attempts where task_id = ? order by attempt')
    const types = database.prepare<[string], { type: string }>('select type from events where task_id = ? order by seq')
    return {
      status: task.status,
      attempt: task.attempt,
      attempts: attempts.all(taskId),
      eventTypes: types.all(taskId).map(({ type }) => type),
    }
  })
}

export type Container = { id: string; attempt: number; running: boolean }

/** Every container of a task that the engine knows, also one that has ended. */
export async function containersOf(taskId: string): Promise<Container[]> {
  const format = `{{.ID}} {{.Label "${LABELS.attempt}"}} {{.State}}`
  const { stdout } = await execa('docker', ['ps', '--all', '--filter', `label=${LABELS.task}=${taskId}`, '--format', format])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', attempt, state] = line.split(' ')
      return { id, attempt: Number(attempt), running: state === 'running' }
    })
}
