import { createServer } from 'node:net'

/** @returns a TCP port of `host` that is free at this moment */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const port = await tryListen(host, 0)
  if (port === null) throw new Error(`No port of ${host} is free.`)
  return port
}

export async function isFree(host: string, port: number): Promise<boolean> {
  return (await tryListen(host, port)) !== null
}

/** @returns the port, or null if it is taken */
function tryListen(host: string, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}
