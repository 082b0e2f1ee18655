import { randomBytes } from 'node:crypto'
import type { Store } from '../sqlite/database.ts'
import { hashToken } from './tokens.ts'

const LINK_LIVES_MS = 10 * 60_000

/** A code that signs its bearer in as this user, once and within ten minutes. The store holds only its hash. */
export async function createSignInLink(db: Store, userId: string): Promise<{ code: string; expiresAt: Date }> {
  const now = Date.now()
  const code = randomBytes(32).toString('base64url')
  await db.deleteFrom('sign_in_links').where('expires_at', '<=', now).execute()
  await db
    .insertInto('sign_in_links')
    .values({ code_hash: hashToken(code), user_id: userId, expires_at: now + LINK_LIVES_MS })
    .execute()
  return { code, expiresAt: new Date(now + LINK_LIVES_MS) }
}

/** Does not use the code up. @returns the user's id; null when it is unknown, used or too old */
export async function findSignInLink(db: Store, code: string): Promise<string | null> {
  const link = db.selectFrom('sign_in_links').select('user_id').where('code_hash', '=', hashToken(code))
  return (await link.where('expires_at', '>', Date.now()).executeTakeFirst())?.user_id ?? null
}

/** Uses the code up: of two simultaneous callers, one gets the user's id. @returns null when it is unknown, used or too old */
export async function takeSignInLink(db: Store, code: string): Promise<string | null> {
  const taken = db.deleteFrom('sign_in_links').where('code_hash', '=', hashToken(code)).where('expires_at', '>', Date.now())
  const row = await taken.returning('user_id').executeTakeFirst()
  return row?.user_id ?? null
}
