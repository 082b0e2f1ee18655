import type { TaskEvent } from '../../contract/api/event.ts'
import { Refusal } from '../process/errors.ts'

/** A history that is being sent to one socket. */
export type Replay = {
  socketId: string
  taskId: string
  /** The last event that was sent; the next page begins after it. */
  sent: number
  /** The oldest live event that was kept from the socket meanwhile; 0 while none was. */
  heldBackFrom: number
  /** The newest of them; the history has to reach it. */
  heldBackTo: number
}

/**
 * Who is being sent the history of which task just now. Those get no live events of it: each comes to them in its place, out of the
 * store, so that a socket sees every event in order. A socket has one history of a task under way at most.
 */
export type Replays = {
  /** @throws Refusal `rate_limited` when the socket has too many under way to begin another */
  admit: (socketId: string, taskId: string) => void
  /**
   * One that is under way goes back to `after`, if it is beyond that already.
   * @returns what is to be sent from here on; null when it is under way
   */
  begin: (socketId: string, taskId: string, after: number) => Replay | null
  /** False once it ended, or the socket is gone. */
  isCurrent: (replay: Replay) => boolean
  /** A live event is about to be sent. @returns the sockets that must not get it */
  hold: (event: TaskEvent) => string[]
  end: (replay: Replay) => void
  /** The socket no longer wants the history. Only what was kept from it of the live events is still sent. */
  skip: (socketId: string, taskId: string) => void
  forget: (socketId: string) => void
}

/** Histories that may be under way on one socket at a time. */
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
        throw new Refusal('rate_limited', 'Too many histories are being sent on this connection. Wait until one has come.')
    },
    begin: (socketId, taskId, after) => {
      const replays = bySocket.get(socketId) ?? new Map<string, Replay>()
      const underWay = replays.get(taskId)
      if (underWay) {
        underWay.sent = Math.min(underWay.sent, after)
        return null
      }
      const replay = { socketId, taskId, sent: after, heldBackFrom: 0, heldBackTo: 0 }
      bySocket.set(socketId, replays.set(taskId, replay))
      return replay
    },
    isCurrent,
    hold: ({ taskId, seq }) => {
      const kept: string[] = []
      for (const [socketId, replays] of bySocket) {
        const replay = replays.get(taskId)
        if (!replay) continue
        replay.heldBackFrom ||= seq
        replay.heldBackTo = Math.max(replay.heldBackTo, seq)
        kept.push(socketId)
      }
      return kept
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
