import type { Credential, PutCredential } from '../../../contract/api/api.ts'
import type { Secrets } from '../../secrets/secrets.ts'
import type { Store } from '../sqlite/database.ts'

/** A user's access to one git host. The token is kept sealed, and no answer of the API ever holds it. */
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
 * For the lease alone: it hands the token to the runner that holds the task.
 * @param host as in a URL: with the port when it is not the usual one
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
