import { opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArtifactKind } from '../../contract/wire/sandbox.ts'
import { type ArtifactId, findArtifacts } from '../store/artifacts.ts'
import type { Store } from '../store/sqlite/database.ts'

/** The name says what the file is, so that a file without a row can be recognised. */
export function fileNameOf({ taskId, attempt, kind }: ArtifactId): string {
  return `${taskId}-${attempt}.${kind}`
}

/** How many files are looked up at a time: the store has other work in between. */
const BATCH = 200

/**
 * Removes the files without a row. Others than ours stay.
 * @param arriving names of files whose row may not be committed yet
 * @returns how many were removed
 */
export async function sweepFolder(db: Store, folder: string, arriving: ReadonlySet<string>): Promise<number> {
  let removed = 0
  let batch: ArtifactId[] = []
  const settle = async () => {
    // Before the store is asked: a file that was in the folder by then has its row, or is in this list.
    const busy = new Set(arriving)
    const known = new Set((await findArtifacts(db, batch)).map(fileNameOf))
    for (const name of batch.map(fileNameOf)) {
      if (known.has(name) || busy.has(name) || arriving.has(name)) continue
      await rm(join(folder, name), { force: true })
      removed += 1
    }
    batch = []
  }
  for await (const { name } of await opendir(folder)) {
    const artifact = artifactNamed(name)
    if (artifact) batch.push(artifact)
    if (batch.length >= BATCH) await settle()
  }
  await settle()
  return removed
}

function artifactNamed(name: string): ArtifactId | null {
  const [, taskId = '', attempt = '', rest = ''] = /^([^.]+)-([1-9]\d{0,8})\.(.+)$/.exec(name) ?? []
  const kind = ArtifactKind.safeParse(rest)
  return kind.success ? { taskId, attempt: Number(attempt), kind: kind.data } : null
}
