import type { z } from 'zod'
import type { AppState } from '../../contract/api/socket.ts'

/** What people look at, as their open sockets reported last. Only the app reports it: the socket of a program counts for nobody. */
export type Presence = {
  set: (socketId: string, userId: string, state: z.output<typeof AppState>) => void
  /** The socket is gone. */
  forget: (socketId: string) => void
  /** @returns whether this user looks at this task on any device */
  isInFront: (userId: string, taskId: string) => boolean
}

export function createPresence(): Presence {
  const looking = new Map<string, { userId: string; taskId: string }>()
  return {
    set: (socketId, userId, { active, taskId }) => {
      if (active && taskId !== null) looking.set(socketId, { userId, taskId })
      else looking.delete(socketId)
    },
    forget: (socketId) => void looking.delete(socketId),
    isInFront: (userId, taskId) => [...looking.values()].some((look) => look.userId === userId && look.taskId === taskId),
  }
}
