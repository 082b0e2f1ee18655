import type { Config } from '../process/config.ts'

/** Admins always; everyone in ERRAND_USERS; anyone for `*`. GitHub's logins ignore case. */
export function maySignIn(login: string, { admins, users }: Pick<Config, 'admins' | 'users'>): boolean {
  return login !== '' && (isAdmin(login, { admins }) || users.includes('*') || names(users, login))
}

export function isAdmin(login: string, { admins }: Pick<Config, 'admins'>): boolean {
  return names(admins, login)
}

/** @returns what to tell a person who may not sign in: whom to ask */
export function signInRefused(login: string, { admins }: Pick<Config, 'admins'>): string {
  const whom = admins.length > 0 ? admins.map((name) => `@${name}`).join(', ') : 'the person who runs this server'
  return `The GitHub account ${login || 'of yours'} may not sign in here. Ask ${whom} to add it to ERRAND_USERS.`
}

function names(list: readonly string[], login: string): boolean {
  return list.some((name) => name.toLowerCase() === login.toLowerCase())
}
