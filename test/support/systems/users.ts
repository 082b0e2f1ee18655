import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

/** Adds a user with an API token straight into the store, as a sign-in with GitHub would; one who is there gets another token. @returns the token */
export function addUser(dataDir: string, name: string, { admin = false } = {}): string {
  const token = `errand_${randomBytes(24).toString('hex')}`
  const database = new Sqlite(join(dataDir, 'errand.db'), { timeout: 5000 })
  const user = { id: `usr_${name}`, identity: `test:${name}`, name, admin: admin ? 1 : 0, at: Date.now() }
  database
    .prepare(
      'insert or ignore into users (id, identity, name, admin, last_released_at, created_at) values (@id, @identity, @name, @admin, 0, @at)',
    )
    .run(user)
  database
    .prepare('insert or replace into api_tokens (id, user_id, name, token_hash, created_at) values (?, ?, ?, ?, ?)')
    .run(`tok_${name}`, user.id, 'test', createHash('sha256').update(token).digest('hex'), user.at)
  database.close()
  return token
}
