import { type SessionData, Store as SessionStore } from 'express-session'
import {
  deleteExpiredSessions,
  deleteSession,
  findSession,
  putSession,
  SESSION_IDLE_MS,
  type SessionContent,
  touchSession,
} from '../../store/accounts/sessions.ts'
import type { Store } from '../../store/sqlite/database.ts'

declare module 'express-session' {
  interface SessionData extends SessionContent {}
}

const SWEEP_EVERY_MS = 60 * 60_000

/** express-session's store on our own table; express-session requires a subclass. Expired sessions are swept as new ones are written. */
export class DatabaseSessions extends SessionStore {
  readonly #db: Store
  #sweptAt = 0

  constructor(db: Store) {
    super()
    this.#db = db
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    findSession(this.#db, id).then((data) => callback(null, data === null ? null : JSON.parse(data)), callback)
  }

  override set(id: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    this.#write(id, session).then(() => callback(), callback)
  }

  override destroy(id: string, callback: (error?: unknown) => void = ignore): void {
    deleteSession(this.#db, id).then(() => callback(), callback)
  }

  override touch(id: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    touchSession(this.#db, id, endOf(session)).then(() => callback(), callback)
  }

  async #write(id: string, session: SessionData): Promise<void> {
    await putSession(this.#db, id, JSON.stringify(session), endOf(session))
    const now = Date.now()
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return
    this.#sweptAt = now
    await deleteExpiredSessions(this.#db)
  }
}

function endOf({ cookie }: SessionData): number {
  return cookie.expires ? new Date(cookie.expires).getTime() : Date.now() + SESSION_IDLE_MS
}

/** express-session always passes a callback; only its type makes it optional. */
function ignore(): void {
  undefined
}
