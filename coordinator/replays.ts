import type { TaskEvent } from '../contract/event.ts'

/** A history that is being sent to one socket. */
export type Replay = {
  socketId: string
  taskId: string
  /** The newest live event that was kept from the socket meanwhile; the history has to reach it. */
  heldBackTo: number
}

/**
 * Who is being sent the history of which task just now. Those get no live events of it: each comes to them in its place, out of the
 * store, so that a socket sees every event in order.
 */
export type Replays = {
  /** A new one of the same task takes the place of the socket's older one. */
  begin: (socketId: string, taskId: string) => Replay
  /** False once another took its place, or the socket is gone. */
  isCurrent: (replay: Replay) => boolean
  /** A live event is about to be sent. @returns the sockets that must not get it */
  hold: (event: TaskEvent) => string[]
  end: (replay: Replay) => void
  forget: (socketId: string) => void
}

export const createReplays = (): Replays => {
  const byTask = new Map<string, Map<string, Replay>>()
  const isCurrent = (replay: Replay) => byTask.get(replay.taskId)?.get(replay.socketId) === replay
  const remove = (taskId: string, socketId: string) => {
    const replays = byTask.get(taskId)
    replays?.delete(socketId)
    if (replays?.size === 0) byTask.delete(taskId)
  }
  return {
    begin: (socketId, taskId) => {
      const replay = { socketId, taskId, heldBackTo: 0 }
      byTask.set(taskId, (byTask.get(taskId) ?? new Map<string, Replay>()).set(socketId, replay))
      return replay
    },
    isCurrent,
    hold: ({ taskId, seq }) => {
      const replays = [...(byTask.get(taskId)?.values() ?? [])]
      for (const replay of replays) replay.heldBackTo = Math.max(replay.heldBackTo, seq)
      return replays.map(({ socketId }) => socketId)
    },
    end: (replay) => {
      if (isCurrent(replay)) remove(replay.taskId, replay.socketId)
    },
    forget: (socketId) => {
      for (const taskId of byTask.keys()) remove(taskId, socketId)
    },
  }
}
