import { findAttempt } from '../store/attempts.ts'
import type { TaskParts } from '../tasks/tasks.ts'

/** Only the quick way: a word that is lost comes with the runner's next renewal, or with the lease of the next attempt. */
export async function tellAgent(
  { db, sayToRunner, log }: Pick<TaskParts, 'db' | 'sayToRunner' | 'log'>,
  taskId: string,
  number: number,
  word: Parameters<TaskParts['sayToRunner']>[3],
): Promise<void> {
  const attempt = await findAttempt(db, taskId, number)
  if (attempt?.ended_at !== null) return
  try {
    await sayToRunner(attempt.runner_id, taskId, number, word)
  } catch (error) {
    log.warn({ event: 'word.delayed', taskId, attempt: number, say: word.say, err: error })
  }
}
