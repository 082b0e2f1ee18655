import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../process/config.ts'
import { readOrStore, readStored, replaceStored } from '../secrets/stored-file.ts'
import { findByToken, issueToken } from '../store/accounts/tokens.ts'
import { upsertOwner } from '../store/accounts/users.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { User } from '../store/user.ts'

/**
 * The owner runs the server and is an admin. The API token is in `<dataDir>/owner-token` (mode 600), and its hash in the store like any
 * other. It cannot be revoked. If the store does not know it after all, the next start makes a new one.
 */
export async function ensureOwner(db: Store, config: Pick<Config, 'dataDir'>): Promise<Owner> {
  const user = await upsertOwner(db)
  const path = join(config.dataDir, 'owner-token')
  const stored = await readStored(path)
  const known = stored === null ? null : await findByToken(db, stored)
  if (stored !== null && known?.user.id === user.id) return { user, token: stored, tokenId: known.deviceId }
  const { id, token } = await issueToken(db, user.id, 'This server (CLI)')
  await replaceStored(path, token)
  return { user, token, tokenId: id }
}

type Owner = { user: User; token: string; tokenId: string }

/**
 * The token that runners must present: from the configuration, or made at the first start and stored in a file (mode 600) for runners on
 * the same machine.
 */
export async function loadRunnerToken(config: Pick<Config, 'runnerToken' | 'runnerTokenFile' | 'dataDir'>): Promise<string> {
  const file = config.runnerTokenFile ?? join(config.dataDir, 'runner-token')
  return config.runnerToken ?? readOrStore(file, () => randomBytes(32).toString('base64url'))
}
