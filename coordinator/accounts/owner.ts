import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../process/config.ts'
import { readKept, readOrKeep, replaceKept } from '../secrets/kept-file.ts'
import { findByToken, issueToken } from '../store/accounts/tokens.ts'
import { upsertOwner } from '../store/accounts/users.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { User } from '../store/user.ts'

/**
 * Whoever runs the server: an admin, whose API token is kept in `<dataDir>/owner-token` (mode 600), and stored hashed like any other.
 * It cannot be revoked (see http/devices.ts). If the store does not know it all the same, the next start makes a new one.
 */
export async function ensureOwner(db: Store, config: Pick<Config, 'dataDir'>): Promise<Owner> {
  const user = await upsertOwner(db)
  const path = join(config.dataDir, 'owner-token')
  const kept = await readKept(path)
  const known = kept === null ? null : await findByToken(db, kept)
  if (kept !== null && known?.user.id === user.id) return { user, token: kept, tokenId: known.deviceId }
  const { id, token } = await issueToken(db, user.id, 'The machine that runs this server')
  await replaceKept(path, token)
  return { user, token, tokenId: id }
}

type Owner = { user: User; token: string; tokenId: string }

/**
 * What runners must show: from the configuration, or made at the first start and kept (mode 600) in a file that runners of the same
 * machine may be given.
 */
export async function loadRunnerToken(config: Pick<Config, 'runnerToken' | 'runnerTokenFile' | 'dataDir'>): Promise<string> {
  const file = config.runnerTokenFile ?? join(config.dataDir, 'runner-token')
  return config.runnerToken ?? readOrKeep(file, () => randomBytes(32).toString('base64url'))
}
