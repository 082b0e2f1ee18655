import type { Store } from '../sqlite/database.ts'

/** A browser that stays away this long must sign in again; milliseconds. */
export const SESSION_IDLE_MS = 14 * 24 * 60 * 60_000

/** A visit moves the end of a session only when it moves it by this much, so that not every request writes. */
const TOUCH_EVERY_MS = 60_000

/** The parts of a session's JSON that are ours. */
export type SessionContent = {
  /** What passport keeps: the id of the user who signed in. */
  passport?: { user?: string }
  /** How its user knows this browser. */
  device?: { name: string; signedInAt: string }
}

/** @returns the session's JSON; null when there is none, or it has expired */
export async function findSession(db: Store, id: string): Promise<string | null> {
  const found = db.selectFrom('sessions').select('data').where('id', '=', id).where('expires_at', '>', Date.now())
  return (await found.executeTakeFirst())?.data ?? null
}

export async function putSession(db: Store, id: string, data: string, expiresAt: number): Promise<void> {
  const row = { user_id: contentOf(data).passport?.user ?? null, data, expires_at: expiresAt }
  await db
    .insertInto('sessions')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
}

export async function touchSession(db: Store, id: string, expiresAt: number): Promise<void> {
  const late = db.updateTable('sessions').set({ expires_at: expiresAt }).where('id', '=', id)
  await late.where('expires_at', '<', expiresAt - TOUCH_EVERY_MS).execute()
}

export async function deleteSession(db: Store, id: string): Promise<void> {
  await db.deleteFrom('sessions').where('id', '=', id).execute()
}

export async function deleteExpiredSessions(db: Store): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', Date.now()).execute()
}

/** @param data as express-session wrote it */
export function contentOf(data: string): SessionContent {
  return JSON.parse(data) as SessionContent
}
