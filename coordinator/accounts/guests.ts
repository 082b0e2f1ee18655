import type { Logger } from 'pino'
import type { Config } from '../process/config.ts'
import { listGithubUsers, revokeAccess, setAdmin } from '../store/accounts/users.ts'
import type { Store } from '../store/sqlite/database.ts'

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

/** Admins may always sign in, and so may everyone in ERRAND_USERS, or anyone if it is `*`. GitHub's logins ignore case. */
export function maySignIn(login: string, { admins, users }: Pick<Config, 'admins' | 'users'>): boolean {
  return login !== '' && (isAdmin(login, { admins }) || users.includes('*') || names(users, login))
}

export function isAdmin(login: string, { admins }: Pick<Config, 'admins'>): boolean {
  return names(admins, login)
}

/** @returns the message for a person who may not sign in: whom to ask */
export function signInRefused(login: string, { admins }: Pick<Config, 'admins'>): string {
  const whom = admins.length > 0 ? admins.map((name) => `@${name}`).join(', ') : 'the administrator of this server'
  return `The GitHub account ${login || 'of yours'} may not sign in here. Ask ${whom} to add it to ERRAND_USERS.`
}

function names(list: readonly string[], login: string): boolean {
  return list.some((name) => name.toLowerCase() === login.toLowerCase())
}
