import { setTimeout } from 'node:timers/promises'
import type { TaskEvent } from '../../contract/api/event.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Replay, Replays } from './replays.ts'
import { createRotation, type Rotation } from './rotation.ts'

/** The client to which histories are sent. */
export type Reader = {
  user: { id: string }
  isOpen: () => boolean
  send: (event: TaskEvent) => void
  /** Resolves when the client took what was sent, or is gone. */
  drained: () => Promise<void>
}

type Parts = {
  reader: Reader
  tasks: Pick<Tasks, 'events'>
  replays: Replays
  /** One page at a time is read in the whole process, for one user after the other. */
  pages: Rotation
}

/**
 * A page is read, made into JSON and sent without a pause, which takes about 2 ms: that is how long everything else waits. A reader that
 * is slow holds one page in memory.
 */
const PAGE = { limit: 100, bytes: 64 * 1024 }
/** Between two pages: time for a request that takes several steps. */
const PAUSE_MS = 1

/** @returns what sends histories to one client: page by page, each when the client took the one before */
export function createSendHistory({ reader, tasks, replays, pages }: Parts): (replay: Replay) => Promise<void> {
  const histories = createRotation()

  /** @returns whether that was the last one */
  const sendPage = async (replay: Replay): Promise<boolean> => {
    const after = replay.sent
    const { events, more } = await tasks.events(reader.user.id, replay.taskId, { after, limit: PAGE.limit }, PAGE.bytes)
    if (!reader.isOpen() || !replays.isCurrent(replay)) return true
    // It was asked to begin elsewhere while the page was read.
    if (replay.sent !== after) return false
    for (const event of events) reader.send(event)
    replay.sent = events.at(-1)?.seq ?? after
    if (more || replay.heldBackTo > replay.sent) return false
    // Nothing was awaited since the check: no live event can slip through.
    replays.end(replay)
    return true
  }

  const takeTurn = async (replay: Replay): Promise<boolean> => {
    const leaveReader = await histories.enter(replay.taskId)
    try {
      await reader.drained()
      const leavePages = await pages.enter(reader.user.id)
      try {
        if (!reader.isOpen() || !replays.isCurrent(replay)) return true
        const isLast = await sendPage(replay)
        await setTimeout(PAUSE_MS)
        return isLast
      } finally {
        leavePages()
      }
    } finally {
      leaveReader()
    }
  }

  return async (replay) => {
    try {
      while (!(await takeTurn(replay)));
    } finally {
      replays.end(replay)
    }
  }
}
