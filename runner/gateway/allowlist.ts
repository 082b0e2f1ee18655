import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import { isPublicAddress } from '../../contract/shared/public-address.ts'
import { answer, type Call } from './endpoint.ts'
import { failureText } from './upstream.ts'

export type Address = { address: string; family: number }

export type AllowlistOptions = {
  allowedHosts: readonly string[]
  emit: (event: NewEvent) => void
  log: Logger
  resolve?: (host: string) => Promise<Address[]>
}

/** The checked addresses of a host that may be reached, or why it may not be. */
export type Admitted = { ok: true; addresses: Address[] } | { ok: false; status: 403 | 502; advice: string }
/** Reports a host that is blocked to the user. */
export type Admit = (host: string, port: number, method: string) => Promise<Admitted>

/** How many blocked hosts one attempt reports to the user: without a limit, a sandbox that scans the internet would fill the history. */
const HOSTS_REPORTED = 50

/**
 * Serves everything that a sandbox sends to a proxy. `CONNECT host:443` becomes a tunnel if the host is on the list and on the public
 * internet. Everything else gets 403, and the user is told of each blocked host once.
 */
export function serveAllowlist({ allowedHosts, emit, log, resolve = resolveAll }: AllowlistOptions) {
  const reported = new Set<string>()
  const report = (host: string, method: string, advice: string) => {
    if (reported.has(host) || reported.size >= HOSTS_REPORTED) return
    reported.add(host)
    emit({ type: 'host.blocked', data: { host, method, advice } })
  }

  const admit: Admit = async (host, port, method) => {
    const block = (advice: string): Admitted => {
      report(host, method, advice)
      return { ok: false, status: 403, advice }
    }
    if (port !== 443 || !isAllowed(host, allowedHosts)) return block(adviceFor(port === 443 ? host : `${host}:${port}`))
    const addresses = await resolve(host).catch(() => [])
    if (addresses.length === 0) return { ok: false, status: 502, advice: `${host} has no address.` }
    if (!addresses.every(({ address }) => isPublicAddress(address)))
      return block(`${host} is not on the public internet, and the sandbox may not reach private networks.`)
    return { ok: true, addresses }
  }

  const tunnel = async (request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> => {
    client.on('error', () => client.destroy())
    const { host, port } = parseAuthority(request.url ?? '')
    const admitted = await admit(host, port, 'CONNECT')
    if (!admitted.ok) return refuseTunnel(client, admitted.status, admitted.advice)
    if (client.destroyed) return
    await join(client, dial(host, admitted.addresses), head).catch((error: unknown) =>
      log.debug({ event: 'tunnel.cut', host, reason: failureText(error) }),
    )
  }

  /** Refuses a plain `http://` request to a proxy, because nothing proves who answers. */
  const refuse = ({ request, response, path }: Call): void => {
    const host = readable(URL.canParse(path) ? new URL(path).hostname : path)
    const advice = `${adviceFor(host)} Plain http is never allowed: use https.`
    report(host, readable(request.method ?? '').slice(0, 20), advice)
    answer(response, 403, advice)
  }

  return { tunnel, refuse, admit }
}

/** Carries bytes both ways until one side ends. @throws Error when the host does not answer or the tunnel is cut */
async function join(client: Duplex, server: Socket, head: Buffer): Promise<void> {
  // A door that closes destroys the client's socket, and with it the tunnel.
  client.once('close', () => server.destroy(new Error('the caller has left')))
  try {
    await once(server, 'connect')
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    server.write(head)
    await Promise.all([pipeline(client, server), pipeline(server, client)])
  } catch (error) {
    server.destroy()
    client.destroy()
    throw error
  }
}

function adviceFor(host: string): string {
  return `The sandbox may not reach ${host}. If the task needs it, ask the administrator of this server to add the host to RUNNER_ALLOWED_HOSTS.`
}

/** @param allowedHosts `example.org` is that host alone, `.example.org` every host below it */
export function isAllowed(host: string, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((allowed) =>
    allowed.startsWith('.') ? host.endsWith(allowed.toLowerCase()) : host === allowed.toLowerCase(),
  )
}

function parseAuthority(authority: string): { host: string; port: number } {
  const [, host = authority, port = '0'] = /^(.*):(\d{1,5})$/.exec(authority) ?? []
  return { host: readable(host.toLowerCase().replace(/\.$/, '')), port: Number(port) }
}

/** Makes a host name from the sandbox safe to show. */
function readable(text: string): string {
  return text.replace(/[^\w.:[\]-]/g, '?').slice(0, 200)
}

function resolveAll(host: string): Promise<Address[]> {
  return lookup(host, { all: true })
}

/** Connects to the checked addresses. It does not look the name up again: the second answer could differ from the first. */
function dial(host: string, addresses: Address[]): Socket {
  const checked: LookupFunction = (_host, _options, done) => done(null, addresses)
  return connect({ host, port: 443, lookup: checked, autoSelectFamily: true })
}

function refuseTunnel(client: Duplex, status: 403 | 502, sentence: string): void {
  const reason = status === 403 ? 'Forbidden' : 'Bad Gateway'
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(sentence)}\r\n`
  client.end(`${head}connection: close\r\n\r\n${sentence}`)
}
