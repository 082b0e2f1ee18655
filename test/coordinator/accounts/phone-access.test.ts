import { describe, expect, it } from '@jest/globals'
import { decidePhoneAccess, localAddress } from '../../../coordinator/accounts/phone-access.ts'
import { readConfig } from '../../../coordinator/process/config.ts'

function one(address: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false) {
  return [{ address, family, internal }]
}
const LO = { lo: one('127.0.0.1', 'IPv4', true) }
const DOCKER = {
  docker0: one('172.17.0.1'),
  'br-1f2e': one('172.18.0.1'),
  veth12: one('169.254.9.9'),
  virbr0: one('192.168.122.1'),
}

describe('the address that a phone reaches', () => {
  it.each([
    ['192.168.1.5', { ...LO, ...DOCKER, wlp3s0: one('192.168.1.5') }],
    ['10.0.0.7', { tailscale0: one('100.101.102.103'), eth0: one('10.0.0.7') }],
    ['172.20.1.2', { tun0: one('10.8.0.2'), enp1s0: one('172.20.1.2') }],
    ['100.101.102.103', { ...LO, ...DOCKER, eth0: one('203.0.113.9'), tailscale0: one('100.101.102.103') }],
    ['10.8.0.2', { ...LO, wg0: one('10.8.0.2') }],
    ['192.168.1.5', { eth0: [...one('fe80::1', 'IPv6'), ...one('169.254.1.1'), ...one('192.168.1.5')] }],
  ])('is %s, and none of a bridge, a link or the machine alone', (address, interfaces) => {
    expect(localAddress(interfaces)).toBe(address)
  })

  it.each([
    ['a machine without a network', LO],
    ['one that only containers share', { ...LO, ...DOCKER }],
    ['one on the internet', { ...LO, eth0: one('203.0.113.9') }],
    ['carriers’ space that ends where the next begins', { eth0: [...one('100.63.255.255'), ...one('100.128.0.1')] }],
    ['nearly private ones', { eth0: [...one('172.15.0.1'), ...one('172.32.0.1'), ...one('11.0.0.1')] }],
  ])('is none of %s', (_what, interfaces) => {
    expect(localAddress(interfaces)).toBeNull()
  })
})

describe('why a link opens on this machine alone', () => {
  const LAN = '192.168.1.5'
  const decide = (variables: Record<string, string>, address: string | null = LAN) =>
    decidePhoneAccess(readConfig(variables), address)
  const PUBLIC = 'ERRAND_PUBLIC_URL=http://192.168.1.5:3000'

  it('is nothing where the public address is one of the network', () => {
    for (const url of ['https://errand.example.org', 'http://192.168.1.5:3000', 'http://[fd00::5]:3000', 'http://server.local'])
      expect(decide({ ERRAND_PUBLIC_URL: url })).toBeNull()
    expect(decide({ ERRAND_HOST: '192.168.1.5' })).toBeNull()
  })

  it('is that it listens there alone', () => {
    const both = { phoneUrl: 'http://192.168.1.5:3000', reachable: false, settings: ['ERRAND_HOST=0.0.0.0', PUBLIC] }
    expect(decide({})).toEqual(both)
    for (const host of ['localhost', '::1', '127.0.0.2']) expect(decide({ ERRAND_HOST: host })).toEqual(both)
    expect(decide({ ERRAND_PORT: '4000' })?.phoneUrl).toBe('http://192.168.1.5:4000')
  })

  it('is that it was told no other address', () => {
    const told = { phoneUrl: 'http://192.168.1.5:3000', reachable: true, settings: [PUBLIC] }
    for (const host of ['0.0.0.0', '::']) expect(decide({ ERRAND_HOST: host })).toEqual(told)
    for (const url of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'http://errand.localhost'])
      expect(decide({ ERRAND_HOST: '192.168.1.5', ERRAND_PUBLIC_URL: url }, '10.0.0.1')).toEqual(told)
  })

  it('leaves the address open where the machine knows none that a phone reaches', () => {
    const settings = ['ERRAND_HOST=0.0.0.0', 'ERRAND_PUBLIC_URL=http://<address of this machine>:3000']
    expect(decide({}, null)).toEqual({ phoneUrl: null, reachable: false, settings })
    expect(decide({ ERRAND_HOST: '0.0.0.0' }, null)).toEqual({ phoneUrl: null, reachable: true, settings: settings.slice(1) })
  })

  it('is told in the words of Docker Compose there, which fixes the others', () => {
    const address = 'ERRAND_PUBLIC_URL=http://<address of this machine>'
    const compose = (listen: string) => decide({ ERRAND_HOST: '0.0.0.0', ERRAND_LISTEN: listen })
    expect(compose('127.0.0.1:3000')).toEqual({
      phoneUrl: null,
      reachable: false,
      settings: ['ERRAND_LISTEN=0.0.0.0:3000', `${address}:3000`],
    })
    for (const listen of ['0.0.0.0:8080', '8080', '[::]:8080'])
      expect(compose(listen)).toEqual({ phoneUrl: null, reachable: true, settings: [`${address}:8080`] })
  })
})
