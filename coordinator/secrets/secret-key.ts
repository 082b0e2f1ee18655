import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../process/config.ts'
import { findKeyCheck, listSealed, putKeyCheck } from '../store/accounts/credentials.ts'
import type { Store } from '../store/sqlite/database.ts'
import { createSecrets, KEY_BYTES, type Secrets } from './secrets.ts'
import { readOrStore, readStored } from './stored-file.ts'

type KeyConfig = Pick<Config, 'secretKey' | 'dataDir' | 'databasePath'>

/**
 * Checks that the secrets in a store were sealed with the key of this start. Writes nothing.
 * @throws Error that names the missing key and what to do
 */
export async function approveKey(db: Store, config: KeyConfig): Promise<void> {
  const sealed = await sealedIn(db)
  if (sealed.length === 0) return
  const key = config.secretKey ?? (await readKey(config))
  const secrets = key && createSecrets(key)
  // Some may be older than a key that was lost: one that opens is proof enough.
  if (!sealed.some((text) => secrets?.isOwn(text))) throw new Error(wrongKey(config, key !== null))
}

/**
 * The server's secret key comes from the configuration, or is made at the first start and stored in `<dataDir>/secret-key`. The database
 * notes which key it is, for {@link approveKey} at the next start.
 * @throws Error when the file does not hold 64 hex digits
 */
export async function loadSecrets(db: Store, config: KeyConfig): Promise<Secrets> {
  await approveKey(db, config)
  const secrets = createSecrets(await loadSecretKey(config))
  if ((await findKeyCheck(db)) === null) await putKeyCheck(db, secrets.seal('errand', 'key check'))
  return secrets
}

/** @throws Error when the file does not hold 64 hex digits */
export async function loadSecretKey(config: Pick<Config, 'secretKey' | 'dataDir'>): Promise<Buffer> {
  return config.secretKey ?? parseKey(config, await readOrStore(pathOf(config), () => randomBytes(KEY_BYTES).toString('hex')))
}

async function readKey(config: Pick<Config, 'dataDir'>): Promise<Buffer | null> {
  const text = await readStored(pathOf(config))
  return text === null ? null : parseKey(config, text)
}

function parseKey(config: Pick<Config, 'dataDir'>, text: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new Error(
      `${pathOf(config)} must hold 64 hex digits. Restore it from a backup: without it the stored git tokens cannot be read.`,
    )
  return Buffer.from(text, 'hex')
}

async function sealedIn(db: Store): Promise<string[]> {
  const check = await findKeyCheck(db)
  return check === null ? listSealed(db) : [check]
}

function wrongKey(config: KeyConfig, hasKey: boolean): string {
  const path = pathOf(config)
  const [what, remedy] = config.secretKey
    ? ['ERRAND_SECRET_KEY is not the key', `Set that key again, or remove the variable if the key is in ${path}.`]
    : hasKey
      ? [`${path} does not hold the key`, 'Restore the file from a backup of the data folder.']
      : [`${path} is missing: it holds the key`, 'Restore the file from a backup of the data folder, or set ERRAND_SECRET_KEY.']
  return (
    `${what} that sealed the git tokens in ${config.databasePath}. ${remedy} Nothing was changed. ` +
    'If the key is lost for good, so are the tokens. Delete them, start the server, and set them again: ' +
    `sqlite3 '${config.databasePath}' "delete from credentials; update users set github_token = null; delete from key_check"`
  )
}

function pathOf({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'secret-key')
}
