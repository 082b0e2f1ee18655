import type { IncomingMessage } from 'node:http'

/** `dotGit`: the same address with `.git` at its end serves the repository. Whoever follows no redirect shows the sentence. */
export type Redirect = { dotGit: boolean; sentence: string }

const SHOWN_CHARS = 300

/**
 * What a git host means that answers with a redirect: GitLab serves a repository at `….git` alone, and a host that knows a repository
 * under a new name sends its callers there.
 * @param address the repository's, as it was asked
 * @param path what was asked below it, as `/info/refs?service=…`
 * @returns null for an answer that is no redirect
 */
export function readRedirect({ statusCode = 0, headers }: IncomingMessage, address: string, path: string): Redirect | null {
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
    : `The git host redirects this address to ${shown(to.pathname)}, which is no repository. Check the address, and the token for its host in your git credentials.`
  return { dotGit: to.href === new URL(`${address}.git${path}`).href, sentence }
}
