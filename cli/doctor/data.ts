import { constants, existsSync } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { listKept } from '../../coordinator/backup/kept-backups.ts'
import { refuseUnfinished } from '../../coordinator/backup/restore-backup.ts'
import { createDiskSpace } from '../../coordinator/process/disk-space.ts'
import { approveKey } from '../../coordinator/secrets/secret-key.ts'
import { findDamage } from '../../coordinator/store/sqlite/copies.ts'
import { checkDatabase } from '../../coordinator/store/sqlite/database.ts'
import { Ill } from './finding.ts'
import type { Patient } from './patient.ts'

const NOT_YET = 'not there yet: the first start makes it'

export async function lookAtFolder({ config: { dataDir } }: Patient): Promise<string> {
  const found = await stat(dataDir).catch(() => null)
  if (!found) return NOT_YET
  try {
    refuseUnfinished(dataDir)
  } catch (error) {
    throw new Ill((error as Error).message, `Remove what is in ${dataDir}, and restore the backup again.`)
  }
  const own = process.getuid?.()
  if (own !== undefined && own !== 0 && found.uid !== own)
    throw new Ill(
      `${dataDir} belongs to another user`,
      `Run this as the user that runs the server, or: chown -R "$(id -un)" '${dataDir}'`,
    )
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
    throw new Ill(`${dataDir} cannot be read and written`, `Give this user the folder: chmod 700 '${dataDir}'`)
  })
  if ((found.mode & 0o077) !== 0)
    throw new Ill(`${dataDir} is open to other users of this machine`, `Close it: chmod 700 '${dataDir}'`, 'warn')
  return dataDir
}

export async function lookAtDisk({ config: { dataDir, storage } }: Patient): Promise<string> {
  const folder = existsSync(dataDir) ? dataDir : '/'
  const { freeBytes, floorBytes, low } = await createDiskSpace([folder], storage.floorBytes).look()
  const free = `${megabytes(freeBytes)} free at ${folder}`
  const cure =
    'Free some space there. The admin screen shows what takes it; old outputs and tasks go with ERRAND_KEEP_OUTPUTS_DAYS and ERRAND_KEEP_TASKS_DAYS.'
  if (low) throw new Ill(`${free}, less than the floor of ${megabytes(floorBytes)}: no new work begins`, cure)
  if (freeBytes < 2 * floorBytes) throw new Ill(`${free}, close to the floor of ${megabytes(floorBytes)}`, cure, 'warn')
  return free
}

export async function lookAtDatabase({ config: { databasePath } }: Patient): Promise<string> {
  if (!existsSync(databasePath) && !existsSync(`${databasePath}-wal`)) return NOT_YET
  const [found, cure] = await checkDatabase(databasePath).then(
    () => [null, ''] as const,
    (error: Error) => sentencesOf(error.message),
  )
  if (found !== null) throw new Ill(found, cure)
  const damage = findDamage(databasePath, 'quick')
  if (damage !== null)
    throw new Ill(`${databasePath} is damaged: ${damage}`, 'Stop the server, and restore the newest backup: errand restore FILE')
  return `${databasePath}, ${megabytes((await stat(databasePath)).size)}, whole`
}

export async function lookAtSecretKey({ config }: Patient): Promise<string> {
  if (!existsSync(config.databasePath)) return NOT_YET
  let fault: Error | null = null
  await checkDatabase(config.databasePath, async (db) => {
    fault = await approveKey(db, config).then(
      () => null,
      (error: Error) => error,
    )
  }).catch(() => undefined)
  if (fault !== null) {
    const [found, cure] = sentencesOf((fault as Error).message)
    throw new Ill(found, cure)
  }
  return config.secretKey
    ? 'ERRAND_SECRET_KEY opens the stored tokens'
    : `${join(config.dataDir, 'secret-key')} opens the stored tokens`
}

export async function lookAtTokens({
  config: { dataDir, databasePath, runnerToken, runnerTokenFile },
}: Patient): Promise<string> {
  if (!existsSync(databasePath)) return NOT_YET
  const files = [join(dataDir, 'owner-token'), ...(runnerToken ? [] : [runnerTokenFile ?? join(dataDir, 'runner-token')])]
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Ill(
        `${file} cannot be read (${error.code})`,
        `Restore it from a backup, or remove it and restart the server: it makes a new one. Runners on other hosts then need the new token.`,
      )
    })
    if (text.trim() === '') throw new Ill(`${file} is empty`, `Remove it and restart the server: it makes a new one.`)
    if (((await stat(file)).mode & 0o077) !== 0)
      throw new Ill(`${file} can be read by other users`, `Close it: chmod 600 '${file}'`, 'warn')
  }
  return `of the owner and of the runners, readable by this user`
}

export async function lookAtPushKeys({ config: { dataDir, publicUrl } }: Patient): Promise<string> {
  const file = join(dataDir, 'vapid-keys.json')
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new Ill(`${file} cannot be read (${error.code})`, 'Make the user that runs the server its owner.')
  })
  if (text === null) return NOT_YET
  if (!isKeyPair(text))
    throw new Ill(
      `${file} does not hold a pair of keys`,
      'Restore it from a backup. Without one, remove it and restart: everybody turns notifications on again.',
    )
  return publicUrl.startsWith('https:')
    ? 'there'
    : 'there; phones get notifications only if ERRAND_PUBLIC_URL begins with https://'
}

function isKeyPair(text: string): boolean {
  try {
    const { publicKey, privateKey } = JSON.parse(text) as Record<string, unknown>
    const bytes = (key: unknown) => (typeof key === 'string' ? Buffer.from(key, 'base64url').length : 0)
    return bytes(publicKey) === 65 && bytes(privateKey) === 32
  } catch {
    return false
  }
}

/** A day, and some hours for a server that was off. */
const BACKUP_OLD_MS = 36 * 60 * 60_000

export async function lookAtBackups({ config: { backups } }: Patient, now: number): Promise<string> {
  const { folder } = backups
  const cure = 'Set ERRAND_BACKUP_DIR to a folder on another disk: the server then makes a backup every day (docs/backup.md).'
  if (folder === null) throw new Ill('no automatic backups', cure, 'warn')
  const kept = await listKept(folder).catch((error: NodeJS.ErrnoException) => {
    throw new Ill(
      `${folder} cannot be read (${error.code})`,
      `Make it, for the user that runs the server: mkdir -m 700 '${folder}'`,
    )
  })
  const [newest] = kept
  if (!newest)
    throw new Ill(
      `no backup in ${folder} yet`,
      'The server makes one soon after its start. If it does not, its admin screen says why.',
      'warn',
    )
  const hours = Math.round((now - newest.at) / 3_600_000)
  if (now - newest.at > BACKUP_OLD_MS)
    throw new Ill(
      `the newest backup in ${folder} is ${hours} hours old`,
      'The admin screen says why the server makes none. Make one now: errand backup FILE',
    )
  return `${kept.length} in ${folder}, the newest ${hours} hours old`
}

/** The first sentence says what is wrong, the others what to do. */
function sentencesOf(message: string): [string, string] {
  const at = message.search(/\. (?=[A-Z])/)
  return at < 0 ? [message, message] : [message.slice(0, at), message.slice(at + 2)]
}

export function megabytes(bytes: number): string {
  return bytes >= 10_000_000_000
    ? `${Math.round(bytes / 1_000_000_000)} GB`
    : `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`
}
