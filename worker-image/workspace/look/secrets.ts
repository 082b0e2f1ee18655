import { isFixture, isProse, isTest } from './file-names.ts'

/** An environment file, except one that is there to be copied. */
const ENVIRONMENT = /(^|\/)\.env(\.[^/]+)?$/
const EXAMPLE = /\.(example|sample|template|dist|defaults?|schema)(\.[^/]+)?$/i
/** Files that tools keep keys in. */
const KEY_FILE =
  /(^|\/)(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.git-credentials|\.pgpass|\.htpasswd|credentials\.json|service-account[^/]*\.json|[^/]*\.(p12|pfx|jks|keystore|ppk))$/

/** Tokens as their makers shape them: each is long, and nothing else looks like it. */
const TOKENS: ReadonlyArray<readonly [string, RegExp]> = [
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{16,}/g],
  ['an OpenAI key', /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}/g],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/g],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,}/g],
  ['an AWS key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{35}/g],
  ['a Slack token', /\bxox[abeprs]-[0-9A-Za-z-]{20,}/g],
  ['a Stripe key', /\b[rs]k_live_[0-9A-Za-z]{20,}/g],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/g],
]
const PRIVATE_KEY =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*(?:[A-Za-z0-9-]+: [^\n]*\n\s*)*[A-Za-z0-9+/=\s\\n"']{100,}/
/** Plain placeholders, wherever they are. */
const PLACEHOLDER = /example|placeholder|redacted|changeme|your|xxxx|0{8}/i
/** Words that mark a key as made up where made-up keys are common. */
const MADE_UP = /sample|fake|dummy|test|mock|canary|not-?real|deadbeef|123456|abcdef/i
/** A placeholder repeats itself; sixteen random characters have more different ones. */
const FEWEST_DIFFERENT = 6

/** @returns whether a new file of this name is kept off the git host, whatever is in it */
export function isSecretFile(path: string): boolean {
  return (ENVIRONMENT.test(path) && !EXAMPLE.test(path)) || KEY_FILE.test(path)
}

/**
 * @param text the lines that a change adds to the file
 * @returns what looks like a secret in it, in words; null for nothing, and for what is plainly made up
 */
export function secretIn(path: string, text: string): string | null {
  const isMaterial = isFixture(path) || isTest(path) || isProse(path) || EXAMPLE.test(path)
  for (const [what, shape] of TOKENS)
    for (const [token] of text.matchAll(shape)) if (!isPlaceholder(token) && !(isMaterial && MADE_UP.test(token))) return what
  // Tests of TLS and of signatures bring keys that open nothing.
  return !isFixture(path) && PRIVATE_KEY.test(text) ? 'a private key' : null
}

function isPlaceholder(token: string): boolean {
  const random = token.replace(/^[a-zA-Z]+[-_](?:(?:ant|proj|svcacct|admin|live|pat|api\d+)[-_])*/, '')
  return PLACEHOLDER.test(token) || new Set(random).size < FEWEST_DIFFERENT
}
