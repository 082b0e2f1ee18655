import { lookup } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../../contract/shared/public-address.ts'
import { Refusal } from '../process/errors.ts'

export type OutsideRequest = { url: string; headers: Record<string, string | number>; body: string | Buffer }

/** Calls addresses that users choose. Unchecked, they would give users access to whatever this server can reach. */
export type Outside = {
  /** @throws Refusal `invalid` for an address that is not allowed. It does not resolve names; `post` does. */
  check: (url: string) => void
  /**
   * POSTs without following redirects or reading the answer. @returns the status of the answer
   * @throws Refusal `invalid` for an address that is not allowed; Error when there is no answer within 10 s
   */
  post: (request: OutsideRequest) => Promise<number>
}

const ANSWER_MS = 10_000

/** @param allowPrivate whether private networks and plain http are allowed */
export function createOutside(allowPrivate: boolean): Outside {
  const check = (url: string): void => {
    if (allowPrivate) return
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'https:') throw new Refusal('invalid', `The address must begin with https://. ${HOW_TO_ALLOW}`)
    const address = hostname.replace(/^\[|\]$/g, '')
    // A numeric address is never looked up.
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

/** Checks the address that the connection really uses, so that a name cannot be public when checked and private when called. */
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

const HOW_TO_ALLOW = 'The administrator of this server can allow it with ERRAND_ALLOW_PRIVATE_WEBHOOKS.'

function notPublic(host: string): Refusal {
  return new Refusal('invalid', `${host} is not on the public internet. ${HOW_TO_ALLOW}`)
}
