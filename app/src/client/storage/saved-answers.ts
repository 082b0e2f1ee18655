import { codeOf, isAway } from '../../../../client/api/api-error.ts'
import type { Pages, Saved } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import type { Storage } from './storage.ts'

type Answer = { asOf?: string }

export type Keeper = {
  /**
   * An answer has changed.
   * @param place `tasks`, `task:<id>`, `me` …
   * @param isAsked whether it answers a call; otherwise it came from the socket or an action, and many may follow
   */
  hear: (place: string, answer: Answer, isAsked: boolean) => void
  /** This task was opened: it is saved from now on, beginning with what is known of it. */
  keepTask: (taskId: string, known: Saved<Task> | undefined) => void
  /** The user leaves this device: nothing more is saved. */
  stop: () => void
}

/** A running task changes several times a second. */
const KEEP_EVERY_MS = 2_000

/** How many tasks open without a network; a phone has other things to store. */
export const KEPT_FEEDS = 20
/** Holds the ids of those tasks, the last opened first. */
export const KEPT_FEEDS_KEY = 'saved:feeds'

/** Saves the server's answers on the device; of the tasks, only those that open without a network. */
export function keepAnswers(storage: Pick<Storage, 'list' | 'write'>): Keeper {
  const changed = new Map<string, Answer>()
  const statuses = new Map<string, Task['status']>()
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  let stopped = false

  const keep = async () => {
    const [opened = []] = await storage.list<string[]>(KEPT_FEEDS_KEY)
    const asOf = new Date().toISOString()
    const answers = [...changed]
    changed.clear()
    const isKept = (place: string) => !place.startsWith(TASK) || opened.includes(place.slice(TASK.length))
    for (const [place, answer] of answers) if (isKept(place)) void storage.write(`saved:${place}`, { ...answer, asOf })
  }
  /** Saves at once, and then everything that follows within the interval together. */
  const keepSoon = (place: string) => {
    if (timers.has(place)) return
    void keep()
    const again = () => {
      timers.delete(place)
      if (changed.has(place)) keepSoon(place)
    }
    timers.set(place, setTimeout(again, KEEP_EVERY_MS))
  }
  /** @returns whether there is something to save: an answer that came from the device is saved already */
  const note = (place: string, answer: Answer): boolean => {
    if (stopped || answer.asOf !== undefined) return false
    changed.set(place, answer)
    return true
  }
  const hasMoved = (place: string, answer: Answer) => {
    if (!place.startsWith(TASK)) return false
    const { status } = answer as Task
    const before = statuses.get(place)
    statuses.set(place, status)
    return before !== status
  }

  return {
    hear: (place, answer, isAsked) => {
      if (!note(place, answer)) return
      // The end of a task must not be lost with an app that is swiped away.
      if (hasMoved(place, answer) || isAsked) void keep()
      else keepSoon(place)
    },
    keepTask: (taskId, known) => {
      if (known && note(TASK + taskId, known)) void keep()
    },
    stop: () => {
      stopped = true
      for (const timer of timers.values()) clearTimeout(timer)
      changed.clear()
    },
  }
}

const TASK = 'task:'

/** Makes this task the last opened one, and removes the tasks that were not opened for the longest time. */
export async function keepNewestFeeds(storage: Pick<Storage, 'list' | 'write' | 'keepOnly'>, taskId: string): Promise<void> {
  const [before = []] = await storage.list<string[]>(KEPT_FEEDS_KEY)
  const newest = [taskId, ...before.filter((id) => id !== taskId)].slice(0, KEPT_FEEDS)
  await storage.write(KEPT_FEEDS_KEY, newest)
  await storage.keepOnly('feed:', newest)
  await storage.keepOnly('saved:task:', newest)
}

/** Asks the server, and falls back to the answer that {@link keepAnswers} saved under this key if the server cannot be reached. */
export function savedWhenOffline<T extends object>(storage: Pick<Storage, 'read'>, key: string, ask: () => Promise<T>) {
  return async (): Promise<Saved<T>> => {
    try {
      return await ask()
    } catch (error) {
      const saved = isAway(error) || codeOf(error) === 'unavailable' ? await storage.read<Saved<T>>(`saved:${key}`) : null
      if (saved === null) throw error
      return saved
    }
  }
}

/** @returns the answer that a query holds; of a list, its newest page: the only one that is saved */
export function firstOf(data: unknown): Answer | undefined {
  return typeof data === 'object' && data !== null && 'pages' in data ? (data as Pages).pages[0] : (data as object | undefined)
}
