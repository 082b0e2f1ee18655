import { BlockList, isIP } from 'node:net'

/** The IPv4 addresses that are not on the public internet: IANA's registry of special-purpose addresses, and multicast. */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carriers' shared space
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and the clouds' metadata services
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/**
 * The same for IPv6. Only 2000::/3 is global unicast, so two ranges exclude everything else, including disguised IPv4 (`::ffff:`,
 * `64:ff9b::`).
 */
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23], // Teredo and other protocol assignments
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4: IPv4 again
  ['3fff::', 20],
]

// Two lists: Node compares an IPv4 address with an IPv6 rule as `::ffff:…`, which lies in the first of them.
const ipv4 = new BlockList()
const ipv6 = new BlockList()
for (const [network, bits] of SPECIAL_IPV4) ipv4.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of SPECIAL_IPV6) ipv6.addSubnet(network, bits, 'ipv6')

/** @param address an IP address as a resolver gives it; anything else is not public */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !ipv4.check(address, 'ipv4')
  return family === 6 && !ipv6.check(address, 'ipv6')
}
