import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A way over HTTP to a server that lets no WebSocket pass, as the proxies of some companies. */
export type PlainProxy = {
  url: string
  /** Where requests go from now on. */
  leadTo: (url: string) => void
  /** How many WebSockets were refused. */
  refused: () => number
  stop: () => Promise<void>
}

export async function startPlainProxy(): Promise<PlainProxy> {
  let target = ''
  let refused = 0
  const server = createServer((request, response) => {
    const { method, headers } = request
    const onward = send(new URL(request.url ?? '/', target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  })
  server.on('upgrade', (_request, socket) => {
    refused += 1
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (url) => {
      target = url
    },
    refused: () => refused,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
