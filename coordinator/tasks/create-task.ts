import { randomBytes, randomUUID } from 'node:crypto'
import type { CreateTask, Task } from '../../contract/api/api.ts'
import { wellFormed } from '../../contract/shared/characters.ts'
import { branchPrefix } from '../../contract/wire/names.ts'
import type { Config } from '../process/config.ts'
import { Refusal } from '../process/errors.ts'
import { findOwnBudget } from '../store/accounts/users.ts'
import { sumOfUser } from '../store/artifacts.ts'
import { type Addition, appendEvents } from '../store/events.ts'
import { type InboxRow, insertMessage } from '../store/inbox.ts'
import type { Store } from '../store/sqlite/database.ts'
import { summaryOf } from '../store/summary.ts'
import { countUnderWay, findTaskByClientId, insertTask, type TaskRow } from '../store/tasks.ts'
import type { User } from '../store/user.ts'
import type { TaskParts } from './parts.ts'
import { parseRepoUrl } from './repo-url.ts'

/** Accepts a task: first in the store, then in the queue. After a crash between the two, the reconciler restores the job. */
export async function createTask(parts: TaskParts, user: User, given: CreateTask): Promise<{ task: Task; created: boolean }> {
  const { config, ledger, dispatch, log } = parts
  // As for a message.
  const input = { ...given, prompt: wellFormed(given.prompt) }
  const repoUrl = parseRepoUrl(input.repoUrl, { allowedOrigins: config.gitHosts, demoRepoUrl: parts.demoRepoUrl })
  const budgetUsd = input.budgetUsd ?? (await findOwnBudget(parts.db, user.id)) ?? config.defaultBudgetUsd
  const hasRoom = !(await parts.disk.look()).low
  const fresh = draft(parts, user.id, { ...input, repoUrl, budgetUsd })

  const { row, created } = await ledger.write(async (tx, record) => {
    const before = fresh.client_id === null ? undefined : await findTaskByClientId(tx, user.id, fresh.client_id)
    if (before) return { row: before, created: false }
    await checkMayBegin(tx, user.id, config, hasRoom)
    await insertTask(tx, fresh)
    await insertMessage(tx, firstMessage(fresh))
    const [events, task] = await appendEvents(tx, fresh, firstEvents(fresh))
    record(task, events)
    return { row: task, created: true }
  })

  if (!created && !isSame(row, input, repoUrl))
    throw new Refusal('conflict', 'This clientId was used for another task. Give each task a new one.', { taskId: row.id })
  if (created) {
    log.info({ event: 'task.created', taskId: row.id, userId: user.id })
    dispatch.nudge()
  }
  return { task: await summaryOf(parts.db, row), created }
}

/**
 * Every turn begins with this.
 * @param hasRoom whether the disk has room for new work; looked at before the transaction
 * @throws Refusal `unavailable` if the server has no room, `conflict` if the user has stored too much, `rate_limited` when the user has too
 * many tasks that wait or run
 */
export async function checkMayBegin(tx: Store, userId: string, config: Limits, hasRoom: boolean): Promise<void> {
  if (!hasRoom)
    throw new Refusal(
      'unavailable',
      'The disk of this server is almost full, so it starts nothing new. Its administrator must free some space; then try again.',
    )
  const { userBytes } = config.storage
  if ((await sumOfUser(tx, userId)) >= userBytes)
    throw new Refusal(
      'conflict',
      `Your tasks take ${Math.floor(userBytes / (1024 * 1024))} MB, all that this server stores for one user. Delete tasks that you no longer need.`,
    )
  const limit = config.tasksPerUser
  if ((await countUnderWay(tx, userId)) >= limit)
    throw new Refusal('rate_limited', `You already have ${limit} waiting or running tasks. Wait for one to end, or cancel one.`)
}

type Limits = Pick<Config, 'storage' | 'tasksPerUser'>

function draft({ config }: TaskParts, userId: string, input: CreateTask & { budgetUsd: number }): TaskRow {
  const id = newTaskId()
  return {
    id,
    user_id: userId,
    client_id: input.clientId ?? null,
    repo_url: input.repoUrl,
    base_branch: input.baseBranch ?? null,
    branch: branchOf(id, input.prompt),
    prompt: input.prompt,
    model: input.model ?? config.defaultModel,
    effort: input.effort ?? null,
    budget_usd: input.budgetUsd,
    demo: config.anthropicApiKey === null ? 1 : 0,
    status: 'pending',
    reason: 'queued',
    error: null,
    turn: 1,
    attempt: 0,
    last_seq: 0,
    event_bytes: 0,
    message_id: randomUUID(),
    diff_files: null,
    diff_insertions: null,
    diff_deletions: null,
    released_at: null,
    cancel_requested_at: null,
    waiting_until: null,
    told_turn: 0,
    pull_request_url: null,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    cost_usd: 0,
    created_at: Date.now(),
    started_at: null,
    completed_at: null,
    deleted_at: null,
  }
}

function firstEvents(task: TaskRow): Addition[] {
  const place = { attempt: 0, n: null, at: task.created_at }
  const { repo_url: repoUrl, base_branch: baseBranch, model, effort, budget_usd: budgetUsd } = task
  const { id: messageId, text, mode, client_id: clientId } = firstMessage(task)
  const message = { messageId, turn: task.turn, text, mode, clientId }
  return [
    { ...place, event: { type: 'task.created', data: { repoUrl, baseBranch, model, effort, budgetUsd, demo: task.demo === 1 } } },
    { ...place, event: { type: 'message.received', data: message } },
  ]
}

function firstMessage(task: TaskRow): InboxRow {
  return {
    id: task.message_id ?? '',
    task_id: task.id,
    client_id: task.client_id,
    // After `task.created`.
    seq: 2,
    text: task.prompt,
    mode: null,
    state: 'waiting',
    turn: null,
    created_at: task.created_at,
    delivered_at: null,
  }
}

/** Compares only the fields that the caller names: the defaults may have changed since. */
function isSame(row: TaskRow, input: CreateTask, repoUrl: string): boolean {
  return (
    row.repo_url === repoUrl &&
    row.prompt === input.prompt &&
    row.base_branch === (input.baseBranch ?? null) &&
    (input.model === undefined || row.model === input.model) &&
    (input.effort === undefined || row.effort === input.effort) &&
    (input.budgetUsd === undefined || row.budget_usd === input.budgetUsd)
  )
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** `tsk_` and 80 random bits. */
export function newTaskId(): string {
  return `tsk_${Array.from(randomBytes(16), (byte) => BASE32[byte & 31]).join('')}`
}

/** The task's branch. It carries the first words of the prompt for people who read the list of branches. */
export function branchOf(taskId: string, prompt: string): string {
  return branchPrefix(taskId) + slugOf(prompt)
}

function slugOf(prompt: string): string {
  const words = prompt
    .slice(0, 200)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9\s_-]/g, '')
    .split(/[\s_-]+/)
    .filter(Boolean)
  const slug = words.slice(0, 6).join('-').slice(0, 40)
  return slug.replace(/-+$/, '') || 'work'
}
