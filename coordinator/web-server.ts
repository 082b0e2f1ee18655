import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from './config.ts'

/**
 * Takes the port. Requests are answered from when a listener is added, which has to happen before anything else is awaited.
 * @returns the configuration with the real port, also when port 0 asked for any
 * @throws Error with what to do when the port is taken
 */
export const listen = async (config: Config): Promise<{ server: Server; config: Config }> => {
  const server = createServer()
  try {
    await once(server.listen(config.port, config.host), 'listening')
  } catch (cause) {
    const where = `${config.host}:${config.port}`
    throw new Error(`Cannot listen on ${where}. Stop what uses it, or set ERRAND_HOST and ERRAND_PORT.`, { cause })
  }
  const { port } = server.address() as AddressInfo
  const publicUrl = new URL(config.publicUrl)
  if (publicUrl.port === '0') publicUrl.port = String(port)
  return { server, config: Object.freeze({ ...config, port, publicUrl: publicUrl.origin }) }
}

/**
 * Accepts nothing more, closes the sockets, and waits for the requests under way; those that take longer than `patienceMs` are cut
 * off.
 */
export const closeServer = async (server: Server, closeSockets: () => Promise<void>, patienceMs: number): Promise<void> => {
  const cutOff = setTimeout(() => server.closeAllConnections(), patienceMs)
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  await closeSockets()
  await closed
  clearTimeout(cutOff)
}
