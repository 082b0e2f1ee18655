import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Forwarder = { port: number; stop: () => Promise<void> }

/**
 * Shows the door, a unix socket, as a port on 127.0.0.1, where every HTTP client can reach it. It passes bytes on unread, and needs no
 * trust.
 * @param port 0: a free one
 * @throws Error when the port is taken
 */
export function startForwarder(socketPath: string, port: number): Promise<Forwarder> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const door = connect({ path: socketPath, allowHalfOpen: true })
    // When one end breaks, both end; the client on 127.0.0.1 sees a reset.
    inside.on('error', () => door.destroy())
    door.on('error', () => inside.resetAndDestroy())
    open.add(inside)
    inside.on('close', () => {
      open.delete(inside)
      door.destroy()
    })
    door.on('close', () => inside.destroySoon())
    inside.pipe(door)
    door.pipe(inside)
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
