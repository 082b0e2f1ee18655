/** Why the database cannot be opened, for the person who starts the server. */
export class UnusableDatabase extends Error {
  override name = 'UnusableDatabase'
}

/** @param why what is wrong with the file, and what to do */
export function unusable(path: string, why: string, cause?: unknown): UnusableDatabase {
  return new UnusableDatabase(`The database ${path} ${why}`, { cause })
}

export const RESTORE = 'Restore it from a backup, or move it away to start with a new one. Nothing was changed.'
const ELSEWHERE = 'Choose another place with ERRAND_DATA_DIR or DATABASE_URL=file:<path>.'

const IS_FULL = /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_(WRITE|SHMSIZE|TRUNCATE|FSYNC))/

/** Codes of Node (`ENOSPC`) and of SQLite (sqlite.org/rescode.html). */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_NOTADB/, `is not a database, or is encrypted. ${RESTORE}`],
  [/^SQLITE_CORRUPT/, `is broken. ${RESTORE}`],
  [IS_FULL, 'cannot be written: its disk is full or failing. Free some space there and start again.'],
  [/^SQLITE_(BUSY|LOCKED)/, 'is in use by another program. Close that program and start again.'],
  [
    /^(EACCES|EPERM|EROFS|SQLITE_(READONLY|CANTOPEN|PERM))/,
    `cannot be read and written by this user. Make this user the owner of the file and its folder. ${ELSEWHERE}`,
  ],
  [
    /^(ENOTDIR|EEXIST|ELOOP|ENAMETOOLONG)/,
    `cannot be there: its path leads through something that is not a folder. ${ELSEWHERE}`,
  ],
  [/^SQLITE_IOERR/, 'cannot be read: its disk is failing. Repair the disk first.'],
]

/** @returns a sentence for a fault of the path or the file; null for any other */
export function explainFault(path: string, error: unknown): UnusableDatabase | null {
  const code = codeOf(error)
  const found = SENTENCES.find(([codes]) => codes.test(code))
  return found ? unusable(path, found[1], error) : null
}

/** @returns whether something could not be stored for lack of space */
export function isDiskFull(error: unknown): boolean {
  return IS_FULL.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (error instanceof UnusableDatabase || typeof error !== 'object' || error === null) return ''
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return typeof code === 'string' ? code : codeOf(cause)
}
