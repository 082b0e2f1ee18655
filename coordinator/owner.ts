import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { readKept, readOrKeep, replaceKept } from './kept-file.ts'
import type { Store } from './store/database.ts'
import { findUserByToken, issueToken } from './store/tokens.ts'
import { upsertOwner } from './store/users.ts'
import type { User } from './user.ts'

/**
 * Whoever runs the server: an admin, whose API token is kept in `<dataDir>/owner-token` (mode 600), and stored hashed like any other.
 * A token that was revoked stays so: the next start makes a new one.
 */
export const ensureOwner = async (db: Store, config: Pick<Config, 'dataDir'>): Promise<{ user: User; token: string }> => {
  const user = await upsertOwner(db)
  const path = join(config.dataDir, 'owner-token')
  const kept = await readKept(path)
  if (kept && (await findUserByToken(db, kept))?.id === user.id) return { user, token: kept }
  const { token } = await issueToken(db, user.id, 'The machine that runs this server')
  await replaceKept(path, token)
  return { user, token }
}

/**
 * What runners must show: from the configuration, or made at the first start and kept (mode 600) in a file that runners of the same
 * machine may be given.
 */
export const loadRunnerToken = async (config: Pick<Config, 'runnerToken' | 'runnerTokenFile' | 'dataDir'>): Promise<string> => {
  const file = config.runnerTokenFile ?? join(config.dataDir, 'runner-token')
  return config.runnerToken ?? readOrKeep(file, () => randomBytes(32).toString('base64url'))
}
