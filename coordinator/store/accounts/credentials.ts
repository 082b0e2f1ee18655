import { sql } from 'kysely'
import type { Credential, PutCredential } from '../../../contract/api/api.ts'
import type { Secrets } from '../../secrets/secrets.ts'
import type { Store } from '../sqlite/database.ts'

/** A user's access to one git host. The token is stored sealed and is in no answer of the API. */
export async function putCredential(
  db: Store,
  secrets: Secrets,
  userId: string,
  { host, username, token }: PutCredential,
): Promise<Credential> {
  const given = { username: username ?? null, token: secrets.seal(token, contextOf(userId, host)), created_at: Date.now() }
  await db
    .insertInto('credentials')
    .values({ user_id: userId, host, ...given })
    .onConflict((conflict) => conflict.columns(['user_id', 'host']).doUpdateSet(given))
    .execute()
  return credentialOf({ host, ...given })
}

export async function listCredentials(db: Store, userId: string): Promise<Credential[]> {
  const columns = ['host', 'username', 'created_at'] as const
  const rows = await db.selectFrom('credentials').select(columns).where('user_id', '=', userId).orderBy('host').execute()
  return rows.map(credentialOf)
}

/** @returns false when this user has none for the host */
export async function deleteCredential(db: Store, userId: string, host: string): Promise<boolean> {
  const rows = db.deleteFrom('credentials').where('user_id', '=', userId).where('host', '=', host)
  return (await rows.executeTakeFirst()).numDeletedRows > 0n
}

/**
 * For the lease alone, which hands the token to the task's runner.
 * @param host as in a URL: with the port when it is not the default one
 */
export async function findCredential(
  db: Store,
  secrets: Secrets,
  userId: string,
  host: string,
): Promise<{ username: string | null; token: string } | null> {
  const found = db.selectFrom('credentials').select(['username', 'token']).where('user_id', '=', userId).where('host', '=', host)
  const row = await found.executeTakeFirst()
  return row ? { username: row.username, token: secrets.open(row.token, contextOf(userId, host)) } : null
}

/** @returns the sealed text by which the secret key is known; null when there is none, or the database is older than its table */
export async function findKeyCheck(db: Store): Promise<string | null> {
  const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = 'key_check'`.execute(db)
  if (rows.length === 0) return null
  return (await db.selectFrom('key_check').select('sealed').executeTakeFirst())?.sealed ?? null
}

export async function putKeyCheck(db: Store, sealed: string): Promise<void> {
  await db.insertInto('key_check').values({ sealed }).execute()
}

/** Every secret of a user, sealed. */
export async function listSealed(db: Store): Promise<string[]> {
  const credentials = await db.selectFrom('credentials').select('token').execute()
  const users = await db.selectFrom('users').select('github_token').where('github_token', 'is not', null).execute()
  return [...credentials.map(({ token }) => token), ...users.map(({ github_token }) => github_token ?? '')]
}

function contextOf(userId: string, host: string): string {
  return `credential|${userId}|${host}`
}

function credentialOf(row: { host: string; username: string | null; created_at: number }): Credential {
  return {
    host: row.host,
    username: row.username,
    createdAt: new Date(Number(row.created_at)).toISOString(),
  }
}
