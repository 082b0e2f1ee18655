import type { Task } from '../../../contract/api/api.ts'
import { KEPT_FEEDS_KEY } from './kept-feeds.ts'
import type { Saved } from './saved.ts'
import type { Storage } from './storage.ts'

type Answer = { asOf?: string }

export type Keeper = {
  /**
   * Something is known anew.
   * @param place `tasks`, `task:<id>`, `me` …
   * @param isAsked whether it answers a question; else the socket or an action brought it, which may be one of many
   */
  hear: (place: string, answer: Answer, isAsked: boolean) => void
  /** This task was opened: what was known of it before is kept from now on. */
  keepTask: (taskId: string, known: Saved<Task> | undefined) => void
  /** From here on nothing more is kept: the user leaves this device. */
  stop: () => void
}

/** A running task says something several times a second. */
const KEEP_EVERY_MS = 2_000

/** Keeps on the device what the app knows of the server; of the tasks those that open without a network. */
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
  /** At once, and what is heard of the same place soon after it together. */
  const keepSoon = (place: string) => {
    if (timers.has(place)) return
    void keep()
    const again = () => {
      timers.delete(place)
      if (changed.has(place)) keepSoon(place)
    }
    timers.set(place, setTimeout(again, KEEP_EVERY_MS))
  }
  /** What was read from the device needs no writing. @returns whether there is something to keep */
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
      // Of a task that has just ended, nothing may be lost with an app that is swiped away.
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
