import type { QueryClient } from '@tanstack/react-query'
import type { Task } from '../../../contract/api.ts'
import { KEPT_FEEDS_KEY } from './kept-feeds.ts'
import { firstOf } from './saved.ts'
import type { Storage } from './storage.ts'

type Keeper = {
  /** This task was opened: what is known of it already is kept from now on. */
  keepTask: (taskId: string) => void
  stop: () => void
}

/** A running task says something several times a second. */
const KEEP_EVERY_MS = 2_000

/**
 * Keeps on the device what the app knows, whether a question, the socket or an action brought it: the queries that say by `meta.savedAs` where,
 * and the summaries of the tasks that open without a network.
 */
export const keepAnswers = (queries: QueryClient, storage: Pick<Storage, 'list' | 'write'>): Keeper => {
  const changed = new Map<string, object>()
  const statuses = new Map<string, Task['status']>()
  let timer: ReturnType<typeof setTimeout> | undefined

  const keep = async () => {
    const [opened = []] = await storage.list<string[]>(KEPT_FEEDS_KEY)
    const asOf = new Date().toISOString()
    const answers = [...changed]
    changed.clear()
    const isKept = (place: string) => !place.startsWith(TASK) || opened.includes(place.slice(TASK.length))
    for (const [place, answer] of answers) if (isKept(place)) void storage.write(`saved:${place}`, { ...answer, asOf })
  }
  const keepSoon = () => {
    if (timer !== undefined) return
    void keep()
    timer = setTimeout(() => {
      timer = undefined
      if (changed.size > 0) keepSoon()
    }, KEEP_EVERY_MS)
  }
  /** What was read from the device needs no writing. @returns whether there is something to keep */
  const note = (place: string, answer: { asOf?: string } | undefined): boolean => {
    if (answer === undefined || answer.asOf !== undefined) return false
    changed.set(place, answer)
    return true
  }
  const hasMoved = (place: string, answer: object) => {
    if (!place.startsWith(TASK)) return false
    const { status } = answer as Task
    const before = statuses.get(place)
    statuses.set(place, status)
    return before !== status
  }

  const unsubscribe = queries.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'success') return
    const { queryKey, meta, state } = event.query
    const place = (meta?.savedAs as string | undefined) ?? (queryKey[0] === 'task' ? TASK + queryKey[1] : null)
    const answer = firstOf(state.data)
    if (place === null || answer === undefined || !note(place, answer)) return
    // Of a task that has just ended, nothing may be lost with an app that is swiped away.
    if (hasMoved(place, answer)) void keep()
    else keepSoon()
  })
  return {
    keepTask: (taskId) => {
      if (note(TASK + taskId, queries.getQueryData(['task', taskId]))) void keep()
    },
    stop: () => {
      unsubscribe()
      clearTimeout(timer)
      changed.clear()
    },
  }
}

const TASK = 'task:'
