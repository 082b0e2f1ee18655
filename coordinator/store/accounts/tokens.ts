import { createHash, randomInt, randomUUID } from 'node:crypto'
import type { ApiToken, NewApiToken } from '../../../contract/api/api.ts'
import type { Store } from '../sqlite/database.ts'
import type { Database } from '../sqlite/schema.ts'
import type { SignedIn } from '../user.ts'
import { USER_COLUMNS, userOf } from './users.ts'

/** `last_used_at` is only shown to people: one write a minute is enough. */
const USED_EVERY_MS = 60_000

/** Makes a token for a user. Only the answer contains it: the store holds its SHA-256. */
export async function issueToken(db: Store, userId: string, name: string): Promise<NewApiToken> {
  const token = randomToken()
  const row = {
    id: randomUUID(),
    user_id: userId,
    name,
    token_hash: hashToken(token),
    created_at: Date.now(),
    last_used_at: null,
  }
  await db.insertInto('api_tokens').values(row).execute()
  return { ...apiTokenOf(row), token }
}

/** @returns the token's user; null for an unknown or revoked token */
export async function findByToken(db: Store, token: string): Promise<SignedIn | null> {
  const row = await db
    .selectFrom('api_tokens')
    .innerJoin('users', 'users.id', 'api_tokens.user_id')
    .select([...USER_COLUMNS, 'api_tokens.id as token_id', 'api_tokens.last_used_at'])
    .where('token_hash', '=', hashToken(token))
    .executeTakeFirst()
  if (!row) return null
  const now = Date.now()
  if (now - (row.last_used_at ?? 0) > USED_EVERY_MS)
    await db.updateTable('api_tokens').set({ last_used_at: now }).where('id', '=', row.token_id).execute()
  return { user: userOf(row), deviceId: row.token_id }
}

/** Newest first. */
export async function listTokens(db: Store, userId: string): Promise<ApiToken[]> {
  const rows = await db.selectFrom('api_tokens').selectAll().where('user_id', '=', userId).orderBy('created_at', 'desc').execute()
  return rows.map(apiTokenOf)
}

/** A random secret of 256 bits cannot be guessed, so a plain hash, which can be looked up, is enough. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 43 letters of 62 hold 256 bits. The prefix lets secret scanners and people recognise it. */
function randomToken(): string {
  return `errand_${Array.from({ length: 43 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`
}

function apiTokenOf(row: Omit<Database['api_tokens'], 'token_hash' | 'user_id'>): ApiToken {
  return {
    id: row.id,
    name: row.name,
    createdAt: new Date(Number(row.created_at)).toISOString(),
    lastUsedAt: row.last_used_at === null ? null : new Date(Number(row.last_used_at)).toISOString(),
  }
}
