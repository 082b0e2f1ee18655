import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import type { Config } from './config.ts'

export type ReservedPort = {
  /** With the real port and address, also when port 0 asked for any. */
  config: Config
  /** Gives the port to this server. Resolves when the server takes requests. */
  listen: (server: Server) => Promise<void>
  release: () => void
}

/**
 * Takes the port and refuses every connection until `listen`: if the port is in use, the start fails before anything is opened, and no
 * request reaches a server that is still opening.
 * @throws Error with what to do when the port is in use
 */
export async function reservePort(config: Config): Promise<ReservedPort> {
  const placeholder = createTcpServer((connection) => connection.destroy())
  await listenOn(placeholder, config)
  const { port } = placeholder.address() as AddressInfo
  const publicUrl = new URL(config.publicUrl)
  if (publicUrl.port === '0') publicUrl.port = String(port)
  const settled = Object.freeze({ ...config, port, publicUrl: publicUrl.origin })
  const release = () => void placeholder.close()
  return {
    config: settled,
    listen: (server) => {
      // Closing releases the port at once, so no other program can take it in between.
      release()
      return listenOn(server, settled)
    },
    release,
  }
}

async function listenOn(server: TcpServer, { host, port }: Config): Promise<void> {
  try {
    await once(server.listen(port, host), 'listening')
  } catch (cause) {
    throw new Error(`Cannot listen on ${host}:${port}. Stop what uses it, or set ERRAND_HOST and ERRAND_PORT.`, { cause })
  }
}

export type WebServer = { server: Server; connections: ReadonlySet<Socket> }

/** An HTTP server that knows its connections, so that they can be cut. */
export function createWebServer(answer: RequestListener): WebServer {
  const server = createServer(answer)
  const connections = new Set<Socket>()
  server.on('connection', (connection) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  return { server, connections }
}

/**
 * Accepts nothing more, closes the sockets, and waits for running requests. Connections that take longer than `patienceMs` are cut,
 * WebSockets too: a phone that left its network does not answer a close.
 */
export async function closeServer(
  { server, connections }: WebServer,
  closeSockets: () => Promise<void>,
  patienceMs: number,
): Promise<void> {
  const cutOff = setTimeout(() => {
    for (const connection of connections) connection.destroy()
  }, patienceMs)
  const closed = server.listening ? once(server, 'close') : null
  server.close()
  server.closeIdleConnections()
  await closeSockets()
  await closed
  clearTimeout(cutOff)
}
