import type { Logger } from 'pino'
import { isAdmin, maySignIn } from '../http/sign-in/passport.ts'
import type { Config } from '../process/config.ts'
import type { Store } from '../store/sqlite/database.ts'

type Parts = { db: Store; config: Pick<Config, 'admins' | 'users'>; log: Logger }

/**
 * Makes the store agree with the configuration on who may come in, which else only a sign-in would ask: whoever was taken out of
 * ERRAND_USERS loses every session, link and API token, and who is no admin any more is none from here on. Their tasks stay.
 */
export async function checkGuests({ db, config, log }: Parts): Promise<void> {
  const guests = await db.selectFrom('users').select(['id', 'name', 'admin']).where('identity', 'like', 'github:%').execute()
  for (const { id, name, admin } of guests) {
    const isStill = isAdmin(name, config)
    if (isStill !== (admin === 1))
      await db
        .updateTable('users')
        .set({ admin: isStill ? 1 : 0 })
        .where('id', '=', id)
        .execute()
    if (!maySignIn(name, config)) await shutOut(db, id, log)
  }
}

async function shutOut(db: Store, userId: string, log: Logger): Promise<void> {
  const tables = ['sessions', 'sign_in_links', 'api_tokens'] as const
  let revoked = 0n
  for (const table of tables)
    revoked += (await db.deleteFrom(table).where('user_id', '=', userId).executeTakeFirst()).numDeletedRows
  if (revoked > 0n) log.warn({ event: 'user.shut_out', userId, revoked: Number(revoked) })
}
