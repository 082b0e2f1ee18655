import { setPriority } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Logger } from 'pino'
import type { Overview } from '../../contract/api/overview.ts'
import type { Config } from '../process/config.ts'
import { startLoop } from '../process/loop.ts'
import { ROOT_FOLDER } from '../process/root-folder.ts'
import { backupName, listKept, removeOldest } from './kept-backups.ts'

export type DailyBackups = {
  /** For admins; undefined: this server makes none. */
  look: () => Promise<Overview['backups']>
  stop: () => Promise<void>
}

type Options = {
  config: Config
  log: Logger
  /** Makes one backup. @throws Error whose message says what is wrong */
  make?: (path: string, signal: AbortSignal) => Promise<void>
  /** Milliseconds since 1970. */
  now?: () => number
  lookEveryMs?: number
}

const DAY_MS = 24 * 60 * 60_000
/** A backup that failed is not tried again earlier. */
const RETRY_MS = 60 * 60_000
const LOOK_EVERY_MS = 60_000
/** A backup that takes longer hangs. */
const MOST_MS = 6 * 60 * 60_000

/**
 * Makes a backup a day in the folder of the settings, by the age of the newest one there, so that restarts neither skip nor add one. Keeps
 * the newest ones. It works in a process of its own with a low priority: nothing here waits for it.
 */
export function startDailyBackups(options: Options): DailyBackups {
  const { config, log, now = Date.now, lookEveryMs = LOOK_EVERY_MS } = options
  const { folder, keep } = config.backups
  if (folder === null) return { look: async () => undefined, stop: async () => undefined }
  const make = options.make ?? ((path, signal) => runBackup(config, path, signal))
  const stopping = new AbortController()
  let fault: { message: string; at: number } | null = null

  const work = async () => {
    if (fault !== null && now() - fault.at < RETRY_MS) return
    const [newest] = await listKept(folder)
    // One from the future was made before the clock was set back.
    if (newest && newest.at <= now() && now() - newest.at < DAY_MS) return
    const path = join(folder, backupName(now()))
    await make(path, stopping.signal)
    fault = null
    log.info({ event: 'backup.made', path })
    await removeOldest(folder, keep)
  }
  const onError = (error: unknown) => {
    if (stopping.signal.aborted) return
    fault = { message: faultOf(error, folder), at: now() }
    log.error({ event: 'backup.failed', err: error })
  }
  const loop = startLoop({ work, onError, everyMs: lookEveryMs })
  return {
    look: async () => {
      const [newest] = await listKept(folder).catch(() => [])
      return { lastAt: newest ? new Date(newest.at).toISOString() : null, fault: fault?.message ?? null }
    },
    stop: async () => {
      stopping.abort()
      await loop.stop()
    },
  }
}

function faultOf(error: unknown, folder: string): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return message
  return `The folder ${folder} (ERRAND_BACKUP_DIR) cannot be used (${code}). Make it, for the user that runs the server: mkdir -m 700 '${folder}'`
}

/** The command line tool does the work. A variable that is empty counts as absent, whatever `.env` says. */
async function runBackup(config: Config, path: string, cancelSignal: AbortSignal): Promise<void> {
  const { dataDir, databasePath, secretKey, runnerTokenFile, backups } = config
  const environment = {
    ERRAND_DATA_DIR: dataDir,
    DATABASE_URL: `file:${databasePath}`,
    ERRAND_SECRET_KEY: secretKey?.toString('hex') ?? '',
    RUNNER_TOKEN_FILE: runnerTokenFile ?? '',
    ERRAND_BACKUP_KEY: backups.key ?? '',
  }
  const program = join(ROOT_FOLDER, 'bin', 'errand.mjs')
  const child = execa(process.execPath, [program, 'backup', path], {
    cwd: ROOT_FOLDER,
    env: environment,
    cancelSignal,
    timeout: MOST_MS,
    stdin: 'ignore',
    reject: false,
  })
  lowerPriority(child.pid)
  const { failed, stderr, exitCode, timedOut } = await child
  if (!failed) return
  if (timedOut) throw new Error('The backup took longer than six hours, and was stopped. Look at the disk of ERRAND_BACKUP_DIR.')
  const [line = ''] = stderr.split('\n').filter((each) => each.startsWith('errand: '))
  throw new Error(
    line.slice('errand: '.length) || `The backup ended with ${exitCode ?? 'a signal'}. Run it by hand: errand backup FILE`,
  )
}

/** It may have ended already, and some systems do not allow it. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, 10)
  } catch {
    // It works at the normal one.
  }
}
