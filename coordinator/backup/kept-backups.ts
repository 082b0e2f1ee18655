import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A backup that the server made by itself. */
export type KeptBackup = { path: string /** Milliseconds since 1970. */; at: number }

const NAME = /^errand-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.backup$/

/** @returns the name of an automatic backup of this moment */
export function backupName(now: number): string {
  return `errand-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}Z.backup`
}

/** @returns the automatic backups in a folder, the newest first; other files there are somebody else's */
export async function listKept(folder: string): Promise<KeptBackup[]> {
  const found = (await readdir(folder)).flatMap((name) => {
    const [, day, hour, minute, second] = NAME.exec(name) ?? []
    return day === undefined ? [] : [{ path: join(folder, name), at: Date.parse(`${day}T${hour}:${minute}:${second}Z`) }]
  })
  return found.sort((a, b) => b.at - a.at)
}

/** Removes all but the newest ones. */
export async function removeOldest(folder: string, keep: number): Promise<void> {
  for (const { path } of (await listKept(folder)).slice(keep)) await rm(path, { force: true })
}
