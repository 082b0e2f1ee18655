import { existsSync } from 'node:fs'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { OnlyHere } from '../../contract/api/phone-access.ts'
import type { Config } from '../process/config.ts'

type Listening = Pick<Config, 'publicUrl' | 'host' | 'port' | 'composeListen'>
type Interfaces = Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[] | undefined>>

/** @returns why this server's links do not open on another device; null when they do */
export function lookForPhoneAccess(config: Listening): OnlyHere | null {
  return decidePhoneAccess(config, inContainer() ? null : localAddress(networkInterfaces()))
}

/** @param address of this machine in its local network; null if unknown */
export function decidePhoneAccess(listening: Listening, address: string | null): OnlyHere | null {
  const { publicUrl, composeListen } = listening
  if (!isLoopback(new URL(publicUrl).hostname)) return null
  if (composeListen !== null) return onCompose(composeListen)
  const { host, port } = listening
  const reachable = !isLoopback(host)
  const phoneHost = reachable && !isWildcard(host) ? host : address
  const phoneUrl = phoneHost === null ? null : `http://${phoneHost.includes(':') ? `[${phoneHost}]` : phoneHost}:${port}`
  return { phoneUrl, reachable, settings: [...(reachable ? [] : ['ERRAND_HOST=0.0.0.0']), publicUrlSetting(phoneUrl, port)] }
}

/** A container does not know its host's addresses. @param listen ERRAND_LISTEN, `[host:]port` */
function onCompose(listen: string): OnlyHere {
  const [, host = '0.0.0.0', port = ''] = /^(?:(.*):)?(\d+)$/.exec(listen) ?? []
  const reachable = !isLoopback(host)
  const settings = [...(reachable ? [] : [`ERRAND_LISTEN=0.0.0.0:${port}`]), publicUrlSetting(null, port)]
  return { phoneUrl: null, reachable, settings }
}

function publicUrlSetting(url: string | null, port: number | string): string {
  return `ERRAND_PUBLIC_URL=${url ?? `http://<address of this machine>:${port}`}`
}

/**
 * The address that a phone on the same network can most likely reach: first one of a home or office network, then of Tailscale, then of
 * another tunnel. Never a public one: plain HTTP does not belong on the internet.
 */
export function localAddress(interfaces: Interfaces): string | null {
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ address, family, internal }) => {
      const rank = family === 'IPv4' && !internal && !BRIDGE.test(name) ? RANKS.findIndex((fits) => fits(name, address)) : -1
      return rank < 0 ? [] : [{ address, rank }]
    }),
  )
  return found.sort((a, b) => a.rank - b.rank)[0]?.address ?? null
}

/** Interfaces of containers and virtual machines, which nothing outside this machine can reach. */
const BRIDGE = /^(docker|br-|veth|virbr|vmnet|vboxnet|vnet|podman|cni|cali|flannel|kube|lxc|lxd|nerdctl)/i
const TUNNEL = /^(tun|tap|utun|wg|ppp|zt|tailscale)/i
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/
/** 100.64.0.0/10 */
const TAILSCALE = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./

const RANKS: readonly ((name: string, address: string) => boolean)[] = [
  (name, address) => PRIVATE.test(address) && !TUNNEL.test(name),
  (_name, address) => TAILSCALE.test(address),
  (_name, address) => PRIVATE.test(address),
]

/** @param host a name or an address, with the brackets of an address in a URL or without */
function isLoopback(host: string): boolean {
  return /^(127\..*|(.*\.)?localhost|\[?::1\]?|\[?::ffff:7f.*)$/i.test(host)
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function inContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv')
}
