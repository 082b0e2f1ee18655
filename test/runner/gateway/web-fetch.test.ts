import { createServer, request } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { type Address, serveAllowlist } from '../../../runner/gateway/allowlist.ts'
import { serveWebFetch } from '../../../runner/gateway/web-fetch.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()
const ALLOWED = ['docs.example', '.good.example']
const ADDRESSES: Record<string, string> = { 'docs.example': '93.184.216.34', 'inside.good.example': '10.0.0.1' }

type Sent = { host: string; path: string; address: string; headers: Record<string, unknown> }
let sent: Sent[] = []
let said: NewEvent[] = []
afterEach(() => {
  sent = []
  said = []
})

/** The endpoint, and behind it one server that stands for every host; a request must bring the addresses that were checked. */
async function open(page: (path: string) => { status?: number; headers?: Record<string, string>; body?: string | Buffer }) {
  const host = await listen(
    createServer((incoming, response) => {
      const { status = 200, headers = { 'content-type': 'text/html' }, body = '' } = page(incoming.url ?? '')
      response.writeHead(status, headers).end(body)
    }),
  )
  closers.push(host.close)
  const { admit } = serveAllowlist({
    allowedHosts: ALLOWED,
    emit: (event) => said.push(event),
    log: pino({ level: 'silent' }),
    resolve: async (name) => [{ address: ADDRESSES[name] ?? '8.8.8.8', family: 4 }],
  })
  const endpoint = serveWebFetch({
    admit,
    allowedHosts: ALLOWED,
    log: pino({ level: 'silent' }),
    send: (options) => {
      options.lookup?.(String(options.host), { all: true }, (_error, addresses) => {
        const [first] = addresses as unknown as Address[]
        sent.push({
          host: String(options.host),
          path: String(options.path),
          address: first?.address ?? '',
          headers: { ...options.headers } as Record<string, unknown>,
        })
      })
      return request({ ...options, lookup: undefined, host: '127.0.0.1', port: host.port })
    },
  })
  const door = await listen(
    createServer((incoming, response) => {
      const query = incoming.url?.split('?')[1] ?? ''
      void endpoint({ request: incoming, response, path: '/web', query, gone: new AbortController().signal })
    }),
  )
  closers.push(door.close)
  return async (url: string, init: RequestInit = {}) => {
    const response = await fetch(`${door.url}/web?url=${encodeURIComponent(url)}`, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
}

describe('a page of an allowed host', () => {
  it('comes with its address, by GET, to the address that was checked, without a header of the caller', async () => {
    const get = await open(() => ({ body: 'hello' }))
    const { status, headers, text } = await get('https://docs.example/a?b=1#c', {
      headers: { authorization: 'secret', cookie: 'x' },
    })
    expect([status, text, headers.get('x-page-url'), headers.get('x-page-status')]).toEqual([
      200,
      'hello',
      'https://docs.example/a?b=1#c',
      '200',
    ])
    expect(sent).toMatchObject([{ host: 'docs.example', path: '/a?b=1', address: '93.184.216.34' }])
    expect(JSON.stringify(sent[0]?.headers)).not.toMatch(/secret|cookie/)
    expect((await get('https://docs.example/', { method: 'POST' })).status).toBe(405)
  })

  it('is cut at its bound, and says so', async () => {
    const get = await open(() => ({ body: 'x'.repeat(3 * 1024 * 1024) }))
    const { headers, text } = await get('https://docs.example/')
    expect([text.length, headers.get('x-page-cut')]).toEqual([2 * 1024 * 1024, 'true'])
  })

  it.each([
    ['that is no text', { 'content-type': 'application/pdf' }, 'application/pdf'],
    ['that is compressed', { 'content-type': 'text/html', 'content-encoding': 'gzip' }, 'gzip'],
  ])('%s is left to a command', async (_what, headers, word) => {
    const get = await open(() => ({ headers, body: 'x' }))
    expect(await get('https://docs.example/')).toMatchObject({ status: 415, text: expect.stringContaining(word) })
  })
})

describe('an address that may not be reached', () => {
  it.each([
    ['another host', 'https://evil.example/', 403, 'RUNNER_ALLOWED_HOSTS. Allowed: docs.example, all below good.example.'],
    ['another port', 'https://docs.example:8443/', 403, 'docs.example:8443'],
    ['an allowed name of a private address', 'https://inside.good.example/', 403, 'not on the public internet'],
    ['an address of this host', 'https://127.0.0.1/', 403, '127.0.0.1'],
    ['plain http', 'http://docs.example/', 400, 'https://'],
    ['a password', 'https://a:b@docs.example/', 400, 'https://'],
    ['a file', 'file:///etc/passwd', 400, 'https://'],
    ['nothing', '', 400, 'https://'],
  ])('is refused in words: %s', async (_what, url, status, words) => {
    const get = await open(() => ({ body: 'x' }))
    expect(await get(url)).toMatchObject({ status, text: expect.stringContaining(words) })
    expect(sent).toEqual([])
    expect(said.map(({ type }) => type)).toEqual(status === 403 ? ['host.blocked'] : [])
  })

  it.each([
    ['another host', 'https://evil.example/', 403],
    ['a private address', 'https://inside.good.example/', 403],
    ['plain http', 'http://docs.example/', 400],
  ])('is not reached by a redirect either: to %s', async (_what, location, status) => {
    const get = await open(() => ({ status: 302, headers: { location } }))
    expect((await get('https://docs.example/')).status).toBe(status)
    expect(sent).toHaveLength(1)
  })
})

describe('redirects', () => {
  it('are followed within the allowed hosts, and not for ever', async () => {
    const get = await open((path) => (path === '/end' ? { body: 'end' } : { status: 301, headers: { location: '/end' } }))
    expect(await get('https://docs.example/a')).toMatchObject({ status: 200, text: 'end' })
    const around = await open(() => ({ status: 302, headers: { location: '/again' } }))
    expect(await around('https://docs.example/')).toMatchObject({
      status: 502,
      text: expect.stringContaining('more than 5 times'),
    })
  })
})
