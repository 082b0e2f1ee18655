import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MODEL_SILENCE_MS } from '../../contract/wire/deadlines.ts'

export type UpstreamCall = {
  url: string
  method: string
  /** Built by the endpoint, never copied from the caller. */
  headers: OutgoingHttpHeaders
  body?: Buffer | Readable
  signal: AbortSignal
}

/** Makes calls to the outside world. It follows no redirect and decodes nothing: the answer arrives as it was sent. */
export type Upstream = {
  /**
   * @returns the answer as soon as its head is there; its body must be consumed or destroyed
   * @throws Error when no answer comes: refused, reset, aborted, or silent for {@link MODEL_SILENCE_MS}
   */
  call: (call: UpstreamCall) => Promise<IncomingMessage>
  close: () => void
}

export function openUpstream(): Upstream {
  const plain = new http.Agent({ keepAlive: true })
  const secure = new https.Agent({ keepAlive: true })
  return {
    call: async (call) => {
      // A streamed body cannot be sent twice, so it never starts on a kept connection that may just be closing.
      if (call.body instanceof Readable) return send(call, false)
      try {
        return await send(call, call.url.startsWith('https:') ? secure : plain)
      } catch (error) {
        if (!(error as CallFailure).stale) throw error
        return send(call, false)
      }
    },
    close: () => {
      plain.destroy()
      secure.destroy()
    },
  }
}

/** An address in a lease may be a path: then it is below the coordinator's address. */
export function resolveUpstream(address: string, coordinatorUrl: string): string {
  return (address.startsWith('/') ? `${coordinatorUrl.replace(/\/+$/, '')}${address}` : address).replace(/\/+$/, '')
}

/** @returns whether the other side may have received the request before the call failed */
export function wasSent(error: unknown): boolean {
  return (error as Partial<CallFailure>).sent === true
}

/** `stale`: the server closed the kept connection before it saw the request, so the request may be sent again. */
type CallFailure = Error & { stale: boolean; sent: boolean }

function send(call: UpstreamCall, agent: http.Agent | false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = call.url.startsWith('https:') ? https : http
    const headers = { 'accept-encoding': 'identity', 'user-agent': 'errand', ...call.headers }
    const sent = request(call.url, { method: call.method, headers, agent, signal: call.signal, timeout: MODEL_SILENCE_MS })
    let connected = false
    const onConnected = () => {
      connected = true
    }
    sent.on('socket', (socket) => {
      if (sent.reusedSocket) onConnected()
      else socket.once(request === https.request ? 'secureConnect' : 'connect', onConnected)
    })
    sent.on('response', resolve)
    sent.on('timeout', () => sent.destroy(new Error(`no byte for ${MODEL_SILENCE_MS / 1000} s`)))
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      reject(Object.assign(error, { stale, sent: connected }))
    })
    if (call.body instanceof Readable) pipeline(call.body, sent).catch(reject)
    else sent.end(call.body)
  })
}

/** For a message to a person: the code of a failed connection, or else the error's message. */
export function failureText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
