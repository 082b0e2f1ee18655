import { Refusal } from '../process/errors.ts'

export type RepoUrlRules = {
  /** Origins that a task may name, like `https://github.com`. A plain-http one must be named here as such. */
  allowedOrigins: readonly string[]
  /** Address of the demo repository; allowed on every origin. */
  demoRepoUrl: string
}

/** Hosts that serve `…/name` and `…/name.git` alike. For any other host the ending stays: its server may know only one of them. */
const EITHER_ENDING = new Set(['https://github.com', 'https://gitlab.com', 'https://bitbucket.org', 'https://codeberg.org'])

/** Rejects `@`, `%`, `\`, query and fragment, and everything that a URL parser would quietly repair. */
const SHAPE = /^(https?:\/\/[a-z0-9.-]+(?::\d{1,5})?|https?:\/\/\[[0-9a-f:.]+\](?::\d{1,5})?)\/([a-z0-9._~/-]+)$/i
/** Never `-…` (git would take it for an option), `.`, `..` or `.git`. */
const SEGMENT = /^(?!\.{1,2}$|\.git$)[a-z0-9._~][a-z0-9._~-]{0,99}$/i
const MAX_SEGMENTS = 20

/**
 * Returns the one form in which a repository's address is stored and compared, rebuilt from checked parts: `https://host/owner/name`,
 * without a slash at the end, and without `.git` on hosts that do not need it. Nested groups (`/group/subgroup/name`) are allowed.
 * @throws Refusal `invalid` with a sentence that says what to write instead
 */
export function parseRepoUrl(input: string, rules: RepoUrlRules): string {
  if (comparable(input) === comparable(rules.demoRepoUrl)) return rules.demoRepoUrl
  const [, base, path] = SHAPE.exec(input.trim()) ?? []
  const origin = base === undefined ? null : originOf(base)
  if (origin === null || path === undefined) throw refuse('This is not the address of a repository.', rules)
  if (!rules.allowedOrigins.includes(origin)) throw refuse(`Repositories on ${origin} are not allowed on this server.`, rules)
  const segments = (EITHER_ENDING.has(origin) ? path.replace(/(\.git)?\/?$/, '') : path.replace(/\/$/, '')).split('/')
  if (segments.length < 2 || segments.length > MAX_SEGMENTS || !segments.every(isSafe))
    throw refuse('This address does not name a repository: it needs an owner and a name.', rules)
  return `${origin}/${segments.join('/')}`
}

function isSafe(segment: string): boolean {
  return SEGMENT.test(segment)
}

function originOf(base: string): string | null {
  return URL.canParse(base) ? new URL(base).origin : null
}

function comparable(url: string): string {
  return url
    .trim()
    .replace(/\/$/, '')
    .replace(/\.git$/, '')
}

function refuse(what: string, rules: RepoUrlRules): Refusal {
  const origins = rules.allowedOrigins.length > 0 ? rules.allowedOrigins : ['https://github.com']
  return new Refusal(
    'invalid',
    `${what} Write it like ${origins[0]}/owner/name, without user name, password, query or fragment. ` +
      `Allowed hosts: ${origins.join(', ')}. The administrator of this server can add one to ERRAND_GIT_HOSTS.`,
  )
}
