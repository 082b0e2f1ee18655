import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { Ill, PATIENCE_MS, reasonOf } from './finding.ts'
import type { Patient } from './patient.ts'

/** Answers of others name the time: how far this machine's clock is off. */
export type Dated = { name: string; theirs: number; ours: number }

export async function lookAtDns(patient: Patient): Promise<string> {
  const hosts = [...new Set(outsideOf(patient).map((url) => new URL(url).hostname.replace(/^\[|\]$/g, '')))].filter(
    (host) => !isIP(host),
  )
  const lost: string[] = []
  for (const host of hosts) await lookup(host).catch(() => lost.push(host))
  if (lost.length === 0) return hosts.length === 0 ? 'no names to look up' : hosts.join(', ')
  throw new Ill(
    `no address for ${lost.join(', ')}`,
    'Check the spelling (ERRAND_PUBLIC_URL, ERRAND_GIT_HOSTS, ANTHROPIC_BASE_URL) and the name servers in /etc/resolv.conf.',
  )
}

function outsideOf({ config }: Patient): string[] {
  const model = config.anthropicApiKey === null ? [] : [config.anthropicBaseUrl]
  return [config.publicUrl, ...config.gitHosts, ...model]
}

const CERTIFICATE_DAYS = 14
const DAY_MS = 24 * 60 * 60_000

/** The certificate that phones see. */
export async function lookAtTls({ config: { publicUrl, host } }: Patient, now: number): Promise<string> {
  const url = new URL(publicUrl)
  if (url.protocol !== 'https:') {
    if (['127.0.0.1', '::1', 'localhost'].includes(host)) return 'none: this server listens only on this machine'
    throw new Ill(
      'none: what people send and see can be read on the way',
      'Put a proxy with TLS in front, and set ERRAND_PUBLIC_URL=https://…',
      'warn',
    )
  }
  const { fault, until } = await readCertificate(url)
  const renew = 'Renew the certificate of the proxy in front (certbot renew, or your proxy’s own way).'
  if (until < now) throw new Ill(`the certificate of ${url.host} expired on ${dayOf(until)}`, renew)
  if (fault !== null)
    throw new Ill(
      `browsers do not trust the certificate of ${url.host} (${fault})`,
      `Use one of a public authority (Let’s Encrypt), for exactly ${url.hostname}. For a private one, set NODE_EXTRA_CA_CERTS.`,
    )
  const days = Math.floor((until - now) / DAY_MS)
  if (days < CERTIFICATE_DAYS) throw new Ill(`the certificate of ${url.host} expires in ${days} days`, renew, 'warn')
  return `valid until ${dayOf(until)}`
}

function readCertificate({ hostname, port }: URL): Promise<{ fault: string | null; until: number }> {
  return new Promise((done, fail) => {
    // What is wrong is told below: an untrusted certificate must be readable.
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: isIP(hostname) ? '' : hostname,
      rejectUnauthorized: false,
      timeout: PATIENCE_MS,
    })
    socket.once('secureConnect', () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to)
      const fault = socket.authorized ? null : String(socket.authorizationError)
      socket.destroy()
      done({ fault, until })
    })
    socket.once('timeout', () => socket.destroy(new Error('it does not answer')))
    socket.once('error', fail)
  })
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

/** The way of a phone to this server, through the proxy in front. */
export async function lookAtPublicUrl({ config: { publicUrl } }: Patient): Promise<string> {
  const { body } = await ask(`${publicUrl}/healthz`).catch((error: Error) => {
    throw new Ill(
      `${publicUrl} does not answer (${reasonOf(error)})`,
      'Start the server, and check the proxy in front and ERRAND_PUBLIC_URL.',
    )
  })
  if (/"status":"ok"/.test(body)) return publicUrl
  throw new Ill(
    `something else than Errand answers at ${publicUrl}`,
    'Check ERRAND_PUBLIC_URL, and that the proxy in front passes everything on, /healthz and /socket.io too.',
  )
}

/** @returns what it found, and the time by the API's clock */
export async function lookAtModel({
  config: { anthropicApiKey: key, anthropicBaseUrl: base },
}: Patient): Promise<{ found: string; dated: Dated | null }> {
  if (key === null) return { found: 'no ANTHROPIC_API_KEY: the built-in demo model answers', dated: null }
  const url = base.replace(/\/+$/, '')
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
  const { status, dated } = await ask(`${url}/v1/models?limit=1`, headers).catch((error: Error) => {
    throw new Ill(
      `the model API at ${url} cannot be reached (${reasonOf(error)})`,
      'Check the network, a firewall, and ANTHROPIC_BASE_URL.',
    )
  })
  if (status === 401 || status === 403)
    throw new Ill(`the model API refused the key (${status})`, 'Set a valid ANTHROPIC_API_KEY, and restart the server.')
  if (status === 402) throw new Ill('the model API asks for a payment', 'Check the billing of the account at the model API.')
  if (status === 429 || status >= 500)
    throw new Ill(`the model API answers ${status}`, 'Tasks wait for it by themselves. Look at its status page.', 'warn')
  return { found: `${url} takes the key`, dated }
}

/** @returns what it found, and the time by their clocks */
export async function lookAtGitHosts({ config: { gitHosts } }: Patient): Promise<{ found: string; dated: Dated[] }> {
  const dated: Dated[] = []
  for (const host of gitHosts) {
    const answer = await ask(host).catch((error: Error) => {
      throw new Ill(
        `${host} cannot be reached (${reasonOf(error)})`,
        'Check the network, a firewall, and ERRAND_GIT_HOSTS. Behind a private authority, set NODE_EXTRA_CA_CERTS.',
      )
    })
    if (answer.dated) dated.push(answer.dated)
  }
  return { found: gitHosts.join(', '), dated }
}

async function ask(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; dated: Dated | null }> {
  const before = Date.now()
  const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) })
  const ours = (before + Date.now()) / 2
  const theirs = Date.parse(answer.headers.get('date') ?? '')
  const body = (await answer.text()).slice(0, 10_000)
  // The header has whole seconds.
  return {
    status: answer.status,
    body,
    dated: Number.isNaN(theirs) ? null : { name: new URL(url).host, theirs: theirs + 500, ours },
  }
}
