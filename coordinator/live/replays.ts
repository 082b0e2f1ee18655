import { setTimeout } from 'node:timers/promises'
import type { TaskEvent } from '../../contract/api/event.ts'
import { Refusal } from '../process/errors.ts'
import type { Tasks } from '../tasks/tasks.ts'

/** A replay: a history that is being sent to one socket. */
export type Replay = {
  socketId: string
  taskId: string
  /** The last event that was sent; the next page begins after it. */
  sent: number
  /** The oldest live event that was withheld from the socket; 0 if none was. */
  heldBackFrom: number
  /** The newest withheld event; the history has to reach it. */
  heldBackTo: number
}

/**
 * The sockets that are getting the history of a task. Live events of that task are withheld from them: each event comes from the store in
 * its place, so that a socket sees every event in order. A socket has at most one replay per task.
 */
export type Replays = {
  /** @throws Refusal `rate_limited` if the socket has too many replays to start another */
  admit: (socketId: string, taskId: string) => void
  /**
   * If a replay is already running and is past `after`, it goes back to it.
   * @returns the replay to send; null if it is already running
   */
  begin: (socketId: string, taskId: string, after: number) => Replay | null
  /** False once the replay has ended or the socket is gone. */
  isCurrent: (replay: Replay) => boolean
  /** A live event is about to be sent. @returns the sockets that must not get it: their replays will reach it */
  holdBack: (event: TaskEvent) => string[]
  end: (replay: Replay) => void
  /** The socket no longer wants the history. It still gets the live events that were withheld. */
  skip: (socketId: string, taskId: string) => void
  forget: (socketId: string) => void
}

/** Replays that one socket may have at a time. */
export const REPLAYS_PER_SOCKET = 50

export function createReplays(): Replays {
  const bySocket = new Map<string, Map<string, Replay>>()
  const isCurrent = (replay: Replay) => bySocket.get(replay.socketId)?.get(replay.taskId) === replay
  const end = (replay: Replay) => {
    if (!isCurrent(replay)) return
    const replays = bySocket.get(replay.socketId)
    replays?.delete(replay.taskId)
    if (replays?.size === 0) bySocket.delete(replay.socketId)
  }
  return {
    admit: (socketId, taskId) => {
      const replays = bySocket.get(socketId)
      if (replays && !replays.has(taskId) && replays.size >= REPLAYS_PER_SOCKET)
        throw new Refusal('rate_limited', 'Too many histories are being sent on this connection. Wait until one is complete.')
    },
    begin: (socketId, taskId, after) => {
      const replays = bySocket.get(socketId) ?? new Map<string, Replay>()
      const running = replays.get(taskId)
      if (running) {
        running.sent = Math.min(running.sent, after)
        return null
      }
      const replay = { socketId, taskId, sent: after, heldBackFrom: 0, heldBackTo: 0 }
      bySocket.set(socketId, replays.set(taskId, replay))
      return replay
    },
    isCurrent,
    holdBack: ({ taskId, seq }) => {
      const heldBack: string[] = []
      for (const [socketId, replays] of bySocket) {
        const replay = replays.get(taskId)
        if (!replay) continue
        replay.heldBackFrom ||= seq
        replay.heldBackTo = Math.max(replay.heldBackTo, seq)
        heldBack.push(socketId)
      }
      return heldBack
    },
    end,
    skip: (socketId, taskId) => {
      const replay = bySocket.get(socketId)?.get(taskId)
      if (!replay) return
      if (replay.heldBackTo <= replay.sent) end(replay)
      else replay.sent = Math.max(replay.sent, replay.heldBackFrom - 1)
    },
    forget: (socketId) => void bySocket.delete(socketId),
  }
}

/** The client that histories are sent to. */
export type Reader = {
  user: { id: string }
  isOpen: () => boolean
  send: (event: TaskEvent) => void
  /** Resolves when the client has taken what was sent, or is gone. */
  drained: () => Promise<void>
}

type Parts = {
  reader: Reader
  tasks: Pick<Tasks, 'events'>
  replays: Replays
  /** The whole process reads one page at a time, for one user after another. */
  pages: Rotation
}

/**
 * A page is read, encoded as JSON and sent without a pause. This takes about 2 ms, and everything else waits for it. A slow reader costs
 * the memory of one page.
 */
const PAGE = { limit: 100, bytes: 64 * 1024 }
/** The pause between two pages lets requests that take several steps proceed. */
const PAUSE_MS = 1

/** @returns a function that sends histories to one client, page by page; each page follows when the client has taken the one before */
export function createSendHistory({ reader, tasks, replays, pages }: Parts): (replay: Replay) => Promise<void> {
  const histories = createRotation()

  /** @returns whether that was the last one */
  const sendPage = async (replay: Replay): Promise<boolean> => {
    const after = replay.sent
    const { events, more } = await tasks.events(reader.user.id, replay.taskId, { after, limit: PAGE.limit }, PAGE.bytes)
    if (!reader.isOpen() || !replays.isCurrent(replay)) return true
    // The client asked for an earlier start while the page was read.
    if (replay.sent !== after) return false
    for (const event of events) reader.send(event)
    replay.sent = events.at(-1)?.seq ?? after
    if (more || replay.heldBackTo > replay.sent) return false
    // There was no await since the check, so no live event can slip through.
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

/** Lets in one caller at a time. Waiting callers are served key by key, so a key with many callers gets no advantage. */
export type Rotation = {
  /** Resolves when the caller may enter, with a function that the caller must call once to let the next one in. */
  enter: (key: string) => Promise<() => void>
}

export function createRotation(): Rotation {
  // A map keeps its keys in insertion order: the first one is next.
  const waiting = new Map<string, (() => void)[]>()
  let taken = false
  const goLast = (key: string) => {
    const line = waiting.get(key)
    waiting.delete(key)
    if (line && line.length > 0) waiting.set(key, line)
  }
  const leave = (key: string) => {
    goLast(key)
    const [next] = waiting.values()
    if (next) next.shift()?.()
    else taken = false
  }
  return {
    enter: (key) =>
      new Promise((resolve) => {
        const enter = () => resolve(() => leave(key))
        const line = waiting.get(key)
        if (!taken) enter()
        else if (line) line.push(enter)
        else waiting.set(key, [enter])
        taken = true
      }),
  }
}
