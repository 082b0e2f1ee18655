/** Who has how many sockets open. */
export type SocketPlaces<S> = {
  /** @returns false when the user has as many as one may have */
  take: (userId: string, socket: S) => boolean
  leave: (userId: string, socket: S) => void
}

/** @param most sockets that one user may have open at a time */
export function createSocketPlaces<S>(most: number): SocketPlaces<S> {
  const byUser = new Map<string, Set<S>>()
  return {
    take: (userId, socket) => {
      const sockets = byUser.get(userId) ?? new Set<S>()
      if (sockets.size >= most) return false
      byUser.set(userId, sockets.add(socket))
      return true
    },
    leave: (userId, socket) => {
      const sockets = byUser.get(userId)
      sockets?.delete(socket)
      if (sockets?.size === 0) byUser.delete(userId)
    },
  }
}
