import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../systems/temporary.ts'

/** A way over TCP to a server, that can go dead as a phone's does when it leaves a network: nothing is closed, and nothing arrives any more. */
export type TcpProxy = {
  url: string
  /** Where connections lead from now on. */
  leadTo: (url: string) => void
  /** Every connection of now swallows what is sent on it. New ones carry. */
  freeze: () => void
  /** On: new connections swallow too, from their first byte. Those that were made meanwhile stay dead afterwards. */
  block: (on: boolean) => void
  stop: () => Promise<void>
}

export async function startTcpProxy(): Promise<TcpProxy> {
  let port = 0
  let blocked = false
  const sockets = new Set<Socket>()
  const dead = new Set<Socket>()
  const keepDead = (socket: Socket) => {
    dead.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => dead.delete(socket))
    socket.resume()
  }
  const server = createServer({ allowHalfOpen: false }, (near) => {
    if (blocked) return keepDead(near)
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => {
        if (sockets.has(from)) to.write(bytes)
      })
      // What one end closes is closed at the other too, after the last bytes for a reader that is slow; unless the way is dead.
      from.on('close', (failed) => {
        if (!sockets.delete(from)) return
        if (failed) to.destroy()
        else to.end()
      })
      from.on('error', () => from.destroy())
    }
  })
  const { url, close } = await listen(server)
  return {
    url,
    leadTo: (url) => {
      port = Number(new URL(url).port)
    },
    freeze: () => sockets.clear(),
    block: (on) => {
      blocked = on
      if (on) sockets.clear()
    },
    stop: async () => {
      for (const socket of [...sockets, ...dead]) socket.destroy()
      await close()
    },
  }
}
