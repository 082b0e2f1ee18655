import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

/** Has a server, of HTTP or of anything else, listen on a free port of 127.0.0.1. `close` ends it with all of its connections. */
export async function listen(server: Server): Promise<{ port: number; url: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
