import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { isPublicAddress } from '../../../contract/shared/public-address.ts'
import { isAllowed, serveAllowlist } from '../../../runner/gateway/allowlist.ts'
import { type PublicHost, startPublicHost } from '../../support/outside/public-host.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen } from '../../support/systems/temporary.ts'
import { type Door, MACHINE, openDoor } from './door.ts'

const closers = closeAfterEach()

describe('a sandbox that asks for the internet', () => {
  const openWith = async (allowedHosts: string[]): Promise<Door> => {
    const door = await openDoor({}, { machine: { ...MACHINE, allowedHosts } })
    closers.push(door.close)
    return door
  }
  const send = (door: Door, head: string) => {
    const socket = connect(door.hands.port, '127.0.0.1')
    socket.end(`${head}\r\n\r\n`)
    return text(socket)
  }

  it.each([
    ['a host that is not on the list', 'evil.example:443', 'evil.example'],
    ['a port other than 443', 'good.example:22', 'good.example'],
    ['a name that ends like an allowed one', 'notgood.example:443', 'notgood.example'],
    ['an address', '169.254.169.254:443', '169.254.169.254'],
    ['an allowed name of a private address', 'localhost:443', 'localhost'],
  ])('is refused %s, with what to do about it', async (_what, authority, host) => {
    const door = await openWith(['good.example', 'localhost'])
    const answer = await send(door, `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}`)
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toMatch(/RUNNER_ALLOWED_HOSTS|private networks/)
    expect(door.said).toEqual([{ type: 'host.blocked', data: { host, method: 'CONNECT', advice: answer.split('\r\n\r\n')[1] } }])
  })

  it('is refused plain http through the proxy, even to an allowed host', async () => {
    const door = await openWith(['good.example'])
    const answer = await send(door, 'GET http://good.example/path?x=1 HTTP/1.1\r\nhost: good.example\r\nconnection: close')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(door.said).toMatchObject([{ type: 'host.blocked', data: { host: 'good.example', method: 'GET' } }])
  })

  it('is told of each host once, and of so many at most', async () => {
    const door = await openWith([])
    for (const host of ['a.example', 'a.example', 'b.example']) await send(door, `CONNECT ${host}:443 HTTP/1.1\r\nhost: x`)
    expect(door.said.map((event) => event.type === 'host.blocked' && event.data.host)).toEqual(['a.example', 'b.example'])
    for (let n = 0; n < 100; n++) await send(door, `CONNECT h${n}.example:443 HTTP/1.1\r\nhost: x`)
    expect(door.said).toHaveLength(50)
  })
})

describe('a tunnel', () => {
  let host: PublicHost
  beforeAll(async () => {
    host = await startPublicHost()
  })
  afterAll(() => host.stop())

  /** @param addresses what the name service answers for every name */
  const openProxy = async (...addresses: string[]) => {
    const said: NewEvent[] = []
    const allowlist = serveAllowlist({
      allowedHosts: ['.good.example'],
      emit: (event) => said.push(event),
      log: pino({ level: 'silent' }),
      resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    })
    const ended: Promise<void>[] = []
    const server = createServer().on('connect', (request, socket, head) => ended.push(allowlist.tunnel(request, socket, head)))
    const { port, close } = await listen(server)
    closers.push(close)
    const ask = () => {
      const socket = connect(port, '127.0.0.1')
      socket.write('CONNECT api.good.example:443 HTTP/1.1\r\nhost: x\r\n\r\nhello')
      return socket
    }
    return { ask, said, ended }
  }

  // No name service knows the name, so a second look-up could only fail.
  it.each([
    ['to the very address that was checked', () => [host.address]],
    ['to the next address when nobody answers at the first', () => [host.silentAddress, host.address]],
  ])('leads %s, and carries bytes both ways', async (_what, addresses) => {
    const { ask, said, ended } = await openProxy(...addresses())
    const socket = ask()
    socket.end(' there')
    expect(await text(socket)).toBe('HTTP/1.1 200 Connection Established\r\n\r\nhello there')
    await Promise.all(ended)
    expect(said).toEqual([])
  })

  it.each([['169.254.169.254'], ['10.0.0.1'], ['::ffff:169.254.169.254'], ['::1'], ['fd00::1']])(
    'is refused when the name leads to %s, also beside a public address that answers',
    async (address) => {
      const { ask, said } = await openProxy(host.address, address)
      expect(await text(ask())).toMatch(/^HTTP\/1\.1 403 /)
      expect(said).toMatchObject([{ type: 'host.blocked' }])
    },
  )

  it('to a host that does not answer ends without a word to the log of errors', async () => {
    const { ask, ended } = await openProxy(host.refusingAddress)
    expect(await text(ask())).toBe('')
    await Promise.all(ended)
  })
})

describe('isAllowed', () => {
  it.each([
    ['good.example', true],
    ['sub.good.example', false],
    ['a.below.example', true],
    ['below.example', false],
    ['xbelow.example', false],
  ])('%s: %s', (host, allowed) => {
    expect(isAllowed(host, ['Good.example', '.below.example'])).toBe(allowed)
  })
})

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001:81b::200e'])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
  it.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '198.18.0.1',
    ],
    ...[
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '::ffff:10.0.0.1',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
    ],
    ...[
      'fe80::1',
      'fe80::1%eth0',
      'fc00::1',
      'fd00:ec2::254',
      'ff02::1',
      '2001:db8::1',
      '2002:a9fe:a9fe::1',
      '',
      'localhost',
      '127.1',
    ],
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})
