import { type SessionData, Store as SessionStore } from 'express-session'
import type { Store } from '../sqlite/database.ts'

declare module 'express-session' {
  interface SessionData {
    /** What passport keeps: the id of who signed in. */
    passport?: { user?: string }
    /** How its user knows this browser. */
    device?: { name: string; signedInAt: string }
  }
}

/** A browser that stays away this long must sign in again; milliseconds. */
export const SESSION_IDLE_MS = 14 * 24 * 60 * 60_000

/** A visit moves the end of a session only when it moves it by this much, so that not every request writes. */
const TOUCH_EVERY_MS = 60_000
const SWEEP_EVERY_MS = 60 * 60_000

/** express-session's store on our own table; express-session wants a subclass. Ended sessions are swept as new ones are written. */
export class DatabaseSessions extends SessionStore {
  readonly #db: Store
  #sweptAt = 0

  constructor(db: Store) {
    super()
    this.#db = db
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    const found = this.#db.selectFrom('sessions').select('data').where('id', '=', id).where('expires_at', '>', Date.now())
    found.executeTakeFirst().then((row) => callback(null, row ? JSON.parse(row.data) : null), callback)
  }

  override set(id: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    this.#write(id, session).then(() => callback(), callback)
  }

  override destroy(id: string, callback: (error?: unknown) => void = ignore): void {
    const gone = this.#db.deleteFrom('sessions').where('id', '=', id).execute()
    gone.then(() => callback(), callback)
  }

  override touch(id: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    const expiresAt = endOf(session)
    const late = this.#db.updateTable('sessions').set({ expires_at: expiresAt }).where('id', '=', id)
    const touched = late.where('expires_at', '<', expiresAt - TOUCH_EVERY_MS).execute()
    touched.then(() => callback(), callback)
  }

  async #write(id: string, session: SessionData): Promise<void> {
    const row = { user_id: session.passport?.user ?? null, data: JSON.stringify(session), expires_at: endOf(session) }
    await this.#db
      .insertInto('sessions')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
    const now = Date.now()
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return
    this.#sweptAt = now
    await this.#db.deleteFrom('sessions').where('expires_at', '<=', now).execute()
  }
}

function endOf({ cookie }: SessionData): number {
  return cookie.expires ? new Date(cookie.expires).getTime() : Date.now() + SESSION_IDLE_MS
}

/** express-session hands a callback to every call that it makes; the type alone says that it may not. */
function ignore(): void {
  undefined
}
