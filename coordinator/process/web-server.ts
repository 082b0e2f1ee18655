import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Config } from './config.ts'

export type Listening = { server: Server; connections: ReadonlySet<Socket>; config: Config }

/**
 * Takes the port. Requests are answered from when a listener is added, which has to happen before anything else is awaited.
 * @returns the configuration with the real port, also when port 0 asked for any
 * @throws Error with what to do when the port is taken
 */
export async function listen(config: Config): Promise<Listening> {
  const server = createServer()
  const connections = new Set<Socket>()
  server.on('connection', (connection) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  try {
    await once(server.listen(config.port, config.host), 'listening')
  } catch (cause) {
    const where = `${config.host}:${config.port}`
    throw new Error(`Cannot listen on ${where}. Stop what uses it, or set ERRAND_HOST and ERRAND_PORT.`, { cause })
  }
  const { port } = server.address() as AddressInfo
  const publicUrl = new URL(config.publicUrl)
  if (publicUrl.port === '0') publicUrl.port = String(port)
  return { server, connections, config: Object.freeze({ ...config, port, publicUrl: publicUrl.origin }) }
}

/**
 * Accepts nothing more, closes the sockets, and waits for the requests under way; what takes longer than `patienceMs` is cut off. That
 * goes for WebSockets too: a phone that left its network answers no goodbye.
 */
export async function closeServer(
  { server, connections }: Omit<Listening, 'config'>,
  closeSockets: () => Promise<void>,
  patienceMs: number,
): Promise<void> {
  const cutOff = setTimeout(() => {
    for (const connection of connections) connection.destroy()
  }, patienceMs)
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  await closeSockets()
  await closed
  clearTimeout(cutOff)
}
