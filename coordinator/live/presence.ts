import type { z } from 'zod'
import type { AppState } from '../../contract/api/socket.ts'

/** What people look at just now, as their open sockets said last. Only the app says it: a program's socket counts for nobody. */
export type Presence = {
  set: (socketId: string, userId: string, state: z.output<typeof AppState>) => void
  /** The socket is gone. */
  forget: (socketId: string) => void
  /** @returns whether this user has this task before their eyes on any device */
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
