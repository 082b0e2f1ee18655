import { createServer, request as send } from 'node:http'
import { listen } from '../systems/temporary.ts'

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
  const { url, close } = await listen(server)
  return {
    url,
    leadTo: (url) => {
      target = url
    },
    refused: () => refused,
    stop: close,
  }
}
