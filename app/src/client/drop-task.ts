import type { QueryClient } from '@tanstack/react-query'
import { codeOf } from '../../../client/api/api-error.ts'
import type { Pages } from '../../../client/task-summary.ts'
import type { Task } from '../../../contract/api/api.ts'
import type { Api } from './api.ts'
import type { AppSocket } from './socket.ts'
import type { Drafts } from './storage/drafts.ts'
import { KEPT_FEEDS_KEY } from './storage/saved-answers.ts'
import type { Storage } from './storage/storage.ts'

export type DropParts = {
  api: Pick<Api, 'findTask'>
  queries: QueryClient
  storage: Pick<Storage, 'list' | 'read' | 'write' | 'remove'>
  drafts: Pick<Drafts, 'write'>
}

/** Forgets a task that was deleted: it leaves the lists and this device. A screen that shows it asks again, and says that it is gone. */
export async function dropTask({ queries, storage, drafts }: DropParts, taskId: string): Promise<void> {
  for (const [key, data] of queries.getQueriesData<Pages>({ queryKey: ['tasks'] }))
    if (data && idsIn(data).includes(taskId)) queries.setQueryData(key, without(data, taskId))
  // First the list of those that are kept: an answer that is on its way is not saved any more.
  const kept = (await storage.read<string[]>(KEPT_FEEDS_KEY)) ?? []
  const others = kept.filter((id) => id !== taskId)
  if (others.length < kept.length) await storage.write(KEPT_FEEDS_KEY, others)
  await storage.remove(`feed:${taskId}`)
  await storage.remove(`saved:task:${taskId}`)
  drafts.write(`task:${taskId}`, '')
  await queries.invalidateQueries({ queryKey: ['task', taskId] })
}

/**
 * Drops the tasks that the server says are deleted. And those that were deleted while this device was away: whenever the server answers
 * with the newest tasks, a task that is kept here and is missing there is looked up.
 */
export function hearDeleted(parts: DropParts, socket: AppSocket): AppSocket {
  socket.on('deleted', (raw: { taskId?: unknown } | null) => {
    if (typeof raw?.taskId === 'string') void dropTask(parts, raw.taskId)
  })
  void parts.queries.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'success' || event.action.manual === true) return
    const [name, filter] = event.query.queryKey
    if (name === 'tasks' && Object.keys(filter as object).length === 0) void lookUpMissing(parts, event.query.state.data as Pages)
  })
  return socket
}

async function lookUpMissing(parts: DropParts, { pages }: Pages): Promise<void> {
  const [first] = pages
  if (!first || first.asOf !== undefined) return
  const listed = new Set(first.items.map(({ id }) => id))
  const oldest = first.nextCursor === null ? '' : (first.items.at(-1)?.createdAt ?? '')
  for (const { id, createdAt } of await parts.storage.list<Task>('saved:task:')) {
    if (listed.has(id) || createdAt <= oldest) continue
    // A new task may be missing only because the answer is older than it.
    const isGone = await parts.api.findTask(id).then(
      () => false,
      (error) => codeOf(error) === 'not_found',
    )
    if (isGone) await dropTask(parts, id)
  }
}

function idsIn({ pages }: Pages): string[] {
  return pages.flatMap(({ items }) => items.map(({ id }) => id))
}

function without(data: Pages, taskId: string): Pages {
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.filter(({ id }) => id !== taskId) })) }
}
