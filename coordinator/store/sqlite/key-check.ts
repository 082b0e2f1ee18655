import { sql } from 'kysely'
import type { Store } from './database.ts'

/** @returns the known text, sealed; null when none is there, or the database is from before it was kept */
export async function findKeyCheck(db: Store): Promise<string | null> {
  const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = 'key_check'`.execute(db)
  if (rows.length === 0) return null
  return (await db.selectFrom('key_check').select('sealed').executeTakeFirst())?.sealed ?? null
}

export async function putKeyCheck(db: Store, sealed: string): Promise<void> {
  await db.insertInto('key_check').values({ sealed }).execute()
}

/** Every secret of a user that the store keeps sealed. */
export async function listSealed(db: Store): Promise<string[]> {
  const credentials = await db.selectFrom('credentials').select('token').execute()
  const users = await db.selectFrom('users').select('github_token').where('github_token', 'is not', null).execute()
  return [...credentials.map(({ token }) => token), ...users.map(({ github_token }) => github_token ?? '')]
}
