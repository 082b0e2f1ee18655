import { randomUUID } from 'node:crypto'
import type { Secrets } from '../../secrets/secrets.ts'
import type { Store } from '../sqlite/database.ts'
import type { Database } from '../sqlite/schema.ts'
import type { User } from '../user.ts'

/** The person who runs the server. They sign in by a token or a link, never by GitHub. */
export const OWNER_IDENTITY = 'local:owner'

export const USER_COLUMNS = ['users.id', 'users.name', 'users.avatar_url', 'users.admin'] as const

export async function findUser(db: Store, id: string): Promise<User | null> {
  const row = await db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).executeTakeFirst()
  return row ? userOf(row) : null
}

export type GithubUser = { githubId: string; login: string; avatarUrl: string | null; admin: boolean; token: string }

/** Stores what GitHub reports about a user who signs in. Their token is sealed. */
export async function upsertGithubUser(db: Store, secrets: Secrets, github: GithubUser): Promise<User> {
  const user = await upsertUser(db, `github:${github.githubId}`, {
    name: github.login,
    avatar_url: github.avatarUrl,
    admin: github.admin ? 1 : 0,
  })
  const sealed = secrets.seal(github.token, githubTokenContext(user.id))
  await db.updateTable('users').set({ github_token: sealed }).where('id', '=', user.id).execute()
  return user
}

/** The one local owner, an admin. */
export function upsertOwner(db: Store): Promise<User> {
  return upsertUser(db, OWNER_IDENTITY, { name: 'owner', avatar_url: null, admin: 1 })
}

/** @returns the GitHub token of this user; null if they never signed in there */
export async function findGithubToken(db: Store, secrets: Secrets, userId: string): Promise<string | null> {
  const row = await db.selectFrom('users').select('github_token').where('id', '=', userId).executeTakeFirst()
  return row?.github_token ? secrets.open(row.github_token, githubTokenContext(userId)) : null
}

/** @returns the user's own budget for a new task; null: the server's default */
export async function findOwnBudget(db: Store, userId: string): Promise<number | null> {
  const row = await db.selectFrom('users').select('default_budget_usd').where('id', '=', userId).executeTakeFirst()
  return row?.default_budget_usd ?? null
}

/** @param budgetUsd null: the server's default */
export async function setOwnBudget(db: Store, userId: string, budgetUsd: number | null): Promise<void> {
  await db.updateTable('users').set({ default_budget_usd: budgetUsd }).where('id', '=', userId).execute()
}

/** @returns everyone who ever signed in by GitHub */
export async function listGithubUsers(db: Store): Promise<User[]> {
  return (await db.selectFrom('users').select(USER_COLUMNS).where('identity', 'like', 'github:%').execute()).map(userOf)
}

export async function setAdmin(db: Store, userId: string, admin: boolean): Promise<void> {
  const change = { admin: admin ? 1 : 0 }
  await db.updateTable('users').set(change).where('id', '=', userId).execute()
}

/** Deletes every session, sign-in link and API token of a user. @returns how many there were */
export async function revokeAccess(db: Store, userId: string): Promise<number> {
  let revoked = 0n
  for (const table of ['sessions', 'sign_in_links', 'api_tokens'] as const)
    revoked += (await db.deleteFrom(table).where('user_id', '=', userId).executeTakeFirst()).numDeletedRows
  return Number(revoked)
}

type Told = Pick<Database['users'], 'name' | 'avatar_url' | 'admin'>

async function upsertUser(db: Store, identity: string, told: Told): Promise<User> {
  const row = await db
    .insertInto('users')
    .values({ id: randomUUID(), identity, ...told, github_token: null, last_released_at: 0, created_at: Date.now() })
    .onConflict((conflict) => conflict.column('identity').doUpdateSet(told))
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow()
  return userOf(row)
}

export function userOf(row: Pick<Database['users'], 'id' | 'name' | 'avatar_url' | 'admin'>): User {
  return {
    id: row.id,
    name: row.name,
    avatarUrl: row.avatar_url,
    admin: row.admin === 1,
  }
}

function githubTokenContext(userId: string): string {
  return `github_token|${userId}`
}
