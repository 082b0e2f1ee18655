import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A way to an engine's socket that can be cut, and cut again after any number of bytes. */
export type EngineProxy = {
  path: string
  /** Cuts every connection, and refuses new ones. */
  cut: () => Promise<void>
  mend: () => Promise<void>
  /** Every connection is cut once the engine has sent so many bytes on all of them, in the middle of a frame or not; new ones carry. */
  cutAfter: (bytes: number) => void
  /** How many connections were cut by {@link EngineProxy.cutAfter}. */
  cuts: () => number
}

export async function startEngineProxy(path: string, engine = '/var/run/docker.sock'): Promise<EngineProxy> {
  const sockets = new Set<Socket>()
  let bytesLeft = Number.POSITIVE_INFINITY
  let cuts = 0
  let server: Server | null = null

  const carry = (near: Socket) => {
    const far = connect(engine)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        for (const other of [near, far]) other.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (piece) => {
      const carried = piece.subarray(0, bytesLeft)
      bytesLeft -= piece.length
      if (carried.length > 0 && !near.write(carried)) {
        far.pause()
        near.once('drain', () => far.resume())
      }
      if (bytesLeft > 0) return
      bytesLeft = Number.POSITIVE_INFINITY
      cuts += 1
      // Ended, not destroyed: what was carried arrives, up to the last byte.
      near.end()
      far.destroy()
    })
    far.on('end', () => near.end())
  }

  const mend = async () => {
    server = createServer(carry)
    await once(server.listen(path), 'listening')
  }
  await mend()
  return {
    path,
    mend,
    cut: async () => {
      server?.close()
      server = null
      for (const socket of sockets) socket.destroy()
      await rm(path, { force: true })
    },
    cutAfter: (bytes) => {
      bytesLeft = bytes
    },
    cuts: () => cuts,
  }
}
