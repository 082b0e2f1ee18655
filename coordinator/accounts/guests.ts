import type { Logger } from 'pino'
import type { Config } from '../process/config.ts'
import { listGithubUsers, revokeAccess, setAdmin } from '../store/accounts/users.ts'
import type { Store } from '../store/sqlite/database.ts'
import { isAdmin, maySignIn } from './may-sign-in.ts'

type Parts = { db: Store; config: Pick<Config, 'admins' | 'users'>; log: Logger }

/**
 * Applies ERRAND_USERS and ERRAND_ADMINS at each start to people who signed in before: anyone who is no longer named loses every
 * session, link and API token, or the rights of an admin. Their tasks stay.
 */
export async function checkGuests({ db, config, log }: Parts): Promise<void> {
  for (const { id, name, admin } of await listGithubUsers(db)) {
    const isStillAdmin = isAdmin(name, config)
    if (isStillAdmin !== admin) await setAdmin(db, id, isStillAdmin)
    if (maySignIn(name, config)) continue
    const revoked = await revokeAccess(db, id)
    if (revoked > 0) log.warn({ event: 'user.shut_out', userId: id, revoked })
  }
}
