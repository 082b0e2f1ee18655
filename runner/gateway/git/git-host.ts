import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { UNCONFIRMED } from '../../../contract/wire/names.ts'
import { answer, type Call, pickHeaders } from '../endpoint.ts'
import type { Upstream } from '../upstream.ts'

export type Repository = { upstream: string; username: string | null; token: string | null }

/** The git host's side of one repository. */
export type GitHost = {
  /**
   * Sends a request below the repository's address, with the real credentials, and passes the answer's status and headers on.
   * @returns the answer, whose body the caller must pass on; null if the call was already answered because of a redirect
   */
  relayHead: (call: Call, request: HostRequest) => Promise<IncomingMessage | null>
}

export type HostRequest = {
  /** Such as `/info/refs?service=…`. */
  path: string
  headers: OutgoingHttpHeaders
  body?: Readable
}

/** GitHub, GitLab and Gitea accept it with a token as the password. */
const TOKEN_USERNAME = 'x-access-token'

const ANSWER_HEADERS = ['content-type', 'content-encoding', 'cache-control'] as const

export function createGitHost(repository: Repository, upstream: Upstream): GitHost {
  const { username, token } = repository
  const credentials = token
    ? { authorization: `Basic ${Buffer.from(`${username ?? TOKEN_USERNAME}:${token}`).toString('base64')}` }
    : {}
  let address = repository.upstream

  const ask = async (call: Call, { path, headers, body }: HostRequest) => {
    const asked = { url: `${address}${path}`, method: call.request.method ?? 'GET', headers: { ...headers, ...credentials } }
    const found = await upstream.call({ ...asked, signal: call.gone, ...(body ? { body } : {}) })
    return { found, redirect: readRedirect(found, address, path) }
  }

  return {
    relayHead: async (call, request) => {
      let { found, redirect } = await ask(call, request)
      // GitLab serves a repository at `….git` alone, and redirects there when git first asks.
      if (redirect?.dotGit && !request.body) {
        found.destroy()
        address = `${address}.git`
        ;({ found, redirect } = await ask(call, request))
      }
      // No other redirect is followed, so that the token goes to no second host or repository. 404 makes git give up at once and show why.
      if (redirect) {
        found.destroy()
        answer(call.response, 404, redirect.sentence)
        return null
      }
      const { statusCode = 502 } = found
      // The host must not be able to speak for the door.
      call.response.writeHead(statusCode === UNCONFIRMED ? 502 : statusCode, pickHeaders(found, ANSWER_HEADERS))
      return found
    },
  }
}

/** `dotGit`: the same address with `.git` at its end serves the repository. `sentence` explains a redirect that is not followed. */
type Redirect = { dotGit: boolean; sentence: string }

const SHOWN_CHARS = 300

/**
 * Explains a git host's redirect: GitLab serves a repository at `….git` alone, and a host that knows a repository under a new name sends its
 * callers there.
 * @param address the repository's, as it was asked
 * @param path what was asked below it, as `/info/refs?service=…`
 * @returns null for an answer that is no redirect
 */
function readRedirect({ statusCode = 0, headers }: IncomingMessage, address: string, path: string): Redirect | null {
  if (statusCode < 300 || statusCode >= 400) return null
  const asked = `${address}${path}`
  const { location = '' } = headers
  if (!URL.canParse(location, asked))
    return { dotGit: false, sentence: 'The git host answered with a redirect that leads nowhere. Check the address.' }
  const to = new URL(location, asked)
  const shown = (pathname: string) => `${to.origin}${pathname}`.slice(0, SHOWN_CHARS)
  const end = '/info/refs'
  const sentence = to.pathname.endsWith(end)
    ? `The git host redirects this address: the repository is now at ${shown(to.pathname.slice(0, -end.length))}. Send the task again with that address.`
    : `The git host redirects this address to ${shown(to.pathname)}, which is not a repository. Check the address, and the token for its host under Git access in the settings.`
  return { dotGit: to.href === new URL(`${address}.git${path}`).href, sentence }
}
