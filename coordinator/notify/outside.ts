import { lookup } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../../contract/shared/public-address.ts'
import { Refusal } from '../process/errors.ts'

export type OutsideRequest = { url: string; headers: Record<string, string | number>; body: string | Buffer }

/** Addresses that users name and this server calls: a way to reach what only this server can reach, unless it is watched. */
export type Outside = {
  /** @throws Refusal `invalid` when what can be seen of the address is not allowed; its name is resolved only when it is called */
  check: (url: string) => void
  /**
   * POSTs, follows no redirect and reads no answer. @returns the answer's status
   * @throws Refusal `invalid` for an address that may not be called; Error when there is no answer within 10 s
   */
  post: (request: OutsideRequest) => Promise<number>
}

const ANSWER_MS = 10_000

/** @param allowPrivate whether addresses on private networks, and plain http, are fine */
export function createOutside(allowPrivate: boolean): Outside {
  const check = (url: string): void => {
    if (allowPrivate) return
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'https:') throw new Refusal('invalid', `The address must begin with https://. ${HOW_TO_ALLOW}`)
    const address = hostname.replace(/^\[|\]$/g, '')
    // Of an address in numbers no name is looked up.
    if (isIP(address) && !isPublicAddress(address)) throw notPublic(address)
  }
  return {
    check,
    post: ({ url, headers, body }) =>
      new Promise((resolve, reject) => {
        check(url)
        const begin = url.startsWith('https:') ? httpsRequest : httpRequest
        const signal = AbortSignal.timeout(ANSWER_MS)
        const call = begin(url, {
          method: 'POST',
          headers,
          signal,
          agent: false,
          ...(allowPrivate ? {} : { lookup: publicLookup }),
        })
        call.on('error', reject)
        call.once('response', (response) => {
          resolve(response.statusCode ?? 0)
          response.destroy()
        })
        call.end(body)
      }),
  }
}

/** Looks where the connection really goes, so that a name cannot be public when asked and private when called. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const hidden = addresses?.find(({ address }) => !isPublicAddress(address))
    const [first] = addresses ?? []
    if (error || !first) callback(error ?? new Error(`${hostname} has no address`), '')
    else if (hidden) callback(notPublic(hostname), '')
    else if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

const HOW_TO_ALLOW = 'Whoever runs this server can allow others with ERRAND_ALLOW_PRIVATE_WEBHOOKS.'

function notPublic(host: string): Refusal {
  return new Refusal('invalid', `${host} is not on the public internet. ${HOW_TO_ALLOW}`)
}
