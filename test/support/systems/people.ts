import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { withSqlite } from './database.ts'

export type Visitor = {
  /** One request, redirects not followed, with the cookies so far. */
  get: (path: string, headers?: Record<string, string>) => Promise<Response>
  /** A form sent from a page of ours, unless the headers say otherwise. */
  post: (path: string, form?: Record<string, string>, headers?: Record<string, string>) => Promise<Response>
  cookie: () => string
  setCookie: (name: string, value: string) => void
}

/** A browser as far as cookies and the headers of the Fetch standard go. */
export function visitor(url: string): Visitor {
  const jar = new Map<string, string>()
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const send = async (path: string, init: RequestInit, headers: Record<string, string>) => {
    const response = await fetch(new URL(path, url), {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(jar.size > 0 ? { cookie: cookie() } : {}), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    return response
  }
  return {
    get: (path, headers = {}) => send(path, {}, headers),
    post: (path, form = {}, headers = { 'sec-fetch-site': 'same-origin' }) =>
      send(path, { method: 'POST', body: new URLSearchParams(form) }, headers),
    cookie,
    setCookie: (name, value) => {
      jar.set(name, value)
    },
  }
}

/** Adds a user with an API token straight into the store, as a sign-in with GitHub would; one who is there gets another token. @returns the token */
export function addUser(dataDir: string, name: string, { admin = false } = {}): string {
  const token = `errand_${randomBytes(24).toString('hex')}`
  const user = { id: `usr_${name}`, identity: `test:${name}`, name, admin: admin ? 1 : 0, at: Date.now() }
  withSqlite(join(dataDir, 'errand.db'), (database) => {
    database
      .prepare(
        'insert or ignore into users (id, identity, name, admin, last_released_at, created_at) values (@id, @identity, @name, @admin, 0, @at)',
      )
      .run(user)
    database
      .prepare('insert or replace into api_tokens (id, user_id, name, token_hash, created_at) values (?, ?, ?, ?, ?)')
      .run(`tok_${name}`, user.id, 'test', createHash('sha256').update(token).digest('hex'), user.at)
  })
  return token
}
