/** What kept the database from being opened, for the person who starts the server. */
export class UnusableDatabase extends Error {
  override name = 'UnusableDatabase'
}

/** @param why what is wrong with the file, and what to do */
export function unusable(path: string, why: string, cause?: unknown): UnusableDatabase {
  return new UnusableDatabase(`The database ${path} ${why}`, { cause })
}

export const RESTORE = 'Restore it from a backup, or move it away to begin with a new one. Nothing was changed.'
const ELSEWHERE = 'Name another place with ERRAND_DATA_DIR, or with DATABASE_URL=file:<path>.'

const IS_FULL = /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_(WRITE|SHMSIZE|TRUNCATE|FSYNC))/

/** Codes of Node (`ENOSPC`) and of SQLite (sqlite.org/rescode.html). */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_NOTADB/, `is not a database, or is encrypted. ${RESTORE}`],
  [/^SQLITE_CORRUPT/, `is broken. ${RESTORE}`],
  [IS_FULL, 'cannot be written: its disk is full or failing. Free some space there, and start again.'],
  [/^SQLITE_(BUSY|LOCKED)/, 'is in use by another program. Close that one, and start again.'],
  [
    /^(EACCES|EPERM|EROFS|SQLITE_(READONLY|CANTOPEN|PERM))/,
    `cannot be read and written by this user. Give the file and its folder to it. ${ELSEWHERE}`,
  ],
  [/^(ENOTDIR|EEXIST|ELOOP|ENAMETOOLONG)/, `cannot be there: its path leads through something that is no folder. ${ELSEWHERE}`],
  [/^SQLITE_IOERR/, 'cannot be read: its disk is failing. See to the disk first.'],
]

/** @returns the sentence for a fault that the path or the file is to blame for; null for any other */
export function openFault(path: string, error: unknown): UnusableDatabase | null {
  const code = codeOf(error)
  const found = SENTENCES.find(([codes]) => codes.test(code))
  return found ? unusable(path, found[1], error) : null
}

/** @returns whether something could not be stored because there was no room for it */
export function isDiskFull(error: unknown): boolean {
  return IS_FULL.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (error instanceof UnusableDatabase || typeof error !== 'object' || error === null) return ''
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return typeof code === 'string' ? code : codeOf(cause)
}
