import type { Task } from '../../contract/api/api.ts'
import { reasonTextOf } from '../../contract/api/reason.ts'
import { type Line, readLine } from './line.ts'
import type { Store } from './sqlite/database.ts'
import type { TaskRow } from './tasks.ts'

/** The task as every client sees it. */
export async function summaryOf(db: Store, row: TaskRow): Promise<Task> {
  return taskOf(row, row.status === 'pending' ? await readLine(db, Date.now()) : null)
}

/** The same for many, with one look at the line. */
export async function summariesOf(db: Store, rows: readonly TaskRow[]): Promise<Task[]> {
  const line = rows.some(({ status }) => status === 'pending') ? await readLine(db, Date.now()) : null
  return rows.map((row) => taskOf(row, line))
}

/** @param line of use only for a task that waits */
export function taskOf(row: TaskRow, line: Line | null): Task {
  const waitsIn = row.status === 'pending' ? line : null
  const reason = waitsIn?.nobody ?? row.reason
  return {
    id: row.id,
    status: row.status,
    reason,
    reasonText: reason && reasonTextOf(row.status, reason),
    repoUrl: row.repo_url,
    baseBranch: row.base_branch,
    branch: row.branch,
    prompt: row.prompt,
    model: row.model,
    effort: row.effort,
    budgetUsd: row.budget_usd,
    demo: row.demo === 1,
    turn: row.turn,
    waitingUntil:
      waitsIn && reason === 'model_waiting' && row.waiting_until !== null ? new Date(row.waiting_until).toISOString() : null,
    queuePosition: waitsIn ? waitsIn.placeOf(row.id) : null,
    diff:
      row.diff_files === null
        ? null
        : { files: row.diff_files, insertions: row.diff_insertions ?? 0, deletions: row.diff_deletions ?? 0 },
    attempt: row.attempt,
    lastSeq: row.last_seq,
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cacheReadTokens: row.cache_read_tokens,
      cacheWriteTokens: row.cache_write_tokens,
      costUsd: row.cost_usd,
    },
    pullRequestUrl: row.pull_request_url,
    createdAt: new Date(row.created_at).toISOString(),
    startedAt: row.started_at === null ? null : new Date(row.started_at).toISOString(),
    completedAt: row.completed_at === null ? null : new Date(row.completed_at).toISOString(),
    error: row.error,
  }
}
