import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { ORPHANED_MS } from '../../contract/wire/deadlines.ts'

export type Forwarder = { port: number; stop: () => Promise<void> }

/** How soon a closed door is tried again. */
const AGAIN_MS = 100

/**
 * Shows the door, a unix socket, as a port on 127.0.0.1, where every HTTP client can reach it. It passes bytes on unread, and needs no
 * trust. While the door is closed, because the runner is being restarted, callers wait.
 * @param port 0: a free one
 * @param patienceMs how long; then their connections are reset
 * @throws Error when the port is taken
 */
export function startForwarder(socketPath: string, port: number, patienceMs: number = ORPHANED_MS): Promise<Forwarder> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    open.add(inside)
    inside.on('close', () => open.delete(inside))
    knock(socketPath, inside, performance.now() + patienceMs)
  })
  const stop = () =>
    new Promise<void>((done) => {
      server.close(() => done())
      // Connections that clients keep for later would keep the server open.
      for (const socket of open) socket.destroy()
    })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, stop }))
  })
}

/** Connects a caller to the door, as soon as that is open. */
function knock(socketPath: string, inside: Socket, until: number): void {
  const door = connect({ path: socketPath, allowHalfOpen: true })
  const leave = () => door.destroy()
  // When one end breaks, both end; the client on 127.0.0.1 sees a reset.
  inside.on('error', leave).on('close', leave)
  door.on('error', (error: NodeJS.ErrnoException) => {
    const isClosed = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
    inside.off('error', leave).off('close', leave)
    // An error of a caller that waits between two tries only ends it.
    inside.on('error', () => undefined)
    if (isClosed && !inside.destroyed && performance.now() < until) setTimeout(() => knock(socketPath, inside, until), AGAIN_MS)
    else inside.resetAndDestroy()
  })
  door.on('connect', () => {
    door.on('close', () => inside.destroySoon())
    inside.pipe(door)
    door.pipe(inside)
  })
}
