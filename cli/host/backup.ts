import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { makeBackup, megabytes, type Places } from '../../coordinator/backup/make-backup.ts'
import { restoreBackup } from '../../coordinator/backup/restore-backup.ts'
import { readArguments } from '../input/arguments.ts'
import type { Context, Surroundings } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean } from '../show/layout.ts'

const BACKUP = 'errand backup FILE [--key-file FILE]'
const RESTORE = 'errand restore FILE [--to DIR] [--key-file FILE]'

/** Shorter keys can be guessed. */
const LEAST_KEY = 16

/** Backs up the server of this machine, which may run. */
export async function backup(args: readonly string[], context: Context): Promise<number> {
  const { values, given } = readArguments(args, { 'key-file': { type: 'string' } }, ['FILE'], BACKUP)
  const key = await readKey(values['key-file'], context)
  const [to = '-'] = given
  if (to === '-' && context.stdout.isTTY)
    throw new Fault(EXIT.refused, 'A backup is no text. Write it to a file: errand backup FILE')
  const target = to === '-' ? context.stdout : resolve(context.cwd, to)
  const { manifest, bytes } = await orFault('The backup failed', makeBackup(placesOf(context), target, key))
  const count = manifest.files.length - 1
  const how = key === null ? 'not encrypted' : 'encrypted'
  const told = [
    `Backed up the database and ${count} file${count === 1 ? '' : 's'}${to === '-' ? '' : ` to ${to} (${megabytes(bytes)}, ${how})`}.`,
    ...(key === null
      ? ['It holds the keys of this server: keep it where nobody else can read it, or give a key (--key-file).']
      : []),
    ...notesOn(manifest),
  ]
  for (const line of told) context.stderr.write(`${clean(line)}\n`)
  return EXIT.completed
}

/** Restores a backup into an empty data folder. */
export async function restore(args: readonly string[], context: Context): Promise<number> {
  const options = { to: { type: 'string' }, 'key-file': { type: 'string' } } as const
  const { values, given } = readArguments(args, options, ['FILE'], RESTORE)
  const key = await readKey(values['key-file'], context)
  const [from = '-'] = given
  const places = placesOf(context)
  const to = values.to === undefined ? places.dataDir : resolve(context.cwd, values.to)
  const source = from === '-' ? context.stdin : resolve(context.cwd, from)
  const manifest = await orFault('The restore failed', restoreBackup(source, key, to))
  const count = manifest.files.length - 1
  context.print(
    `Restored the backup of ${manifest.createdAt} (Errand ${clean(manifest.version)}) into ${to}: the database and ${count} files.`,
  )
  context.print(
    'Start the server. What was under way then does not run by itself: each such task says so, and runs when it is retried.',
  )
  if (to !== places.dataDir)
    context.print(`The server uses another folder: set ERRAND_DATA_DIR=${to}, or move it to ${places.dataDir}.`)
  else if (places.databasePath !== resolve(to, 'errand.db'))
    context.print(`DATABASE_URL names another file: move ${resolve(to, 'errand.db')} to ${places.databasePath}.`)
  for (const line of notesOn(manifest)) context.print(line)
  return EXIT.completed
}

function notesOn({ missing, secretKey }: Awaited<ReturnType<typeof restoreBackup>>): string[] {
  const artifacts = missing.length
  return [
    ...(artifacts === 0
      ? []
      : [
          `${artifacts} file${artifacts === 1 ? ' was' : 's were'} not there: deleted meanwhile, or lost before. First: ${missing[0]}`,
        ]),
    ...(secretKey === 'environment'
      ? ['The secret key is not in it: it is the ERRAND_SECRET_KEY of the server. Keep that too.']
      : []),
    ...(secretKey === 'nowhere' ? ['There is no secret key in it: the stored git tokens cannot be read without it.'] : []),
  ]
}

/** Finds the data as `npm start` does. */
export function placesOf({ environment, home }: Pick<Surroundings, 'environment' | 'home'>): Places {
  const { ERRAND_DATA_DIR, DATABASE_URL, ERRAND_SECRET_KEY, RUNNER_TOKEN, RUNNER_TOKEN_FILE } = environment
  const dataDir = resolve(home, ERRAND_DATA_DIR || '.errand')
  return {
    dataDir,
    databasePath: DATABASE_URL ? resolve(home, DATABASE_URL.replace(/^file:/, '')) : resolve(dataDir, 'errand.db'),
    keyInEnvironment: Boolean(ERRAND_SECRET_KEY),
    runnerTokenFile: RUNNER_TOKEN_FILE && !RUNNER_TOKEN ? resolve(home, RUNNER_TOKEN_FILE) : null,
  }
}

async function readKey(file: string | undefined, { environment, cwd }: Context): Promise<string | null> {
  if (file === undefined && !environment.ERRAND_BACKUP_KEY) return null
  const name = file === undefined ? 'ERRAND_BACKUP_KEY' : file
  const read = async () =>
    file === undefined ? (environment.ERRAND_BACKUP_KEY ?? '') : await readFile(resolve(cwd, file), 'utf8')
  const key = await read().catch((cause: NodeJS.ErrnoException) => {
    throw new Fault(EXIT.refused, `The key file ${file} cannot be read (${cause.code}).`, { cause })
  })
  if (key.trim().length >= LEAST_KEY) return key.trim()
  throw new Fault(
    EXIT.refused,
    `The key in ${name} is too short: it needs ${LEAST_KEY} characters. Make one with: openssl rand -hex 32`,
  )
}

/** A fault of the disk or of SQLite has no sentence of its own. */
async function orFault<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const { name, message } = cause as Error
    const isTold = ['NoBackup', 'UnreadableBackup', 'UnusableDatabase'].includes(name)
    throw new Fault(EXIT.refused, isTold ? message : `${what}: ${message}`, { cause })
  }
}
