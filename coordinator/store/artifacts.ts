import type { ArtifactKind } from '../../contract/wire/sandbox.ts'
import type { Store } from './sqlite/database.ts'

/** Notes that an artifact is on the disk; it replaces an earlier one of the same kind and attempt. */
export async function putArtifact(db: Store, taskId: string, attempt: number, kind: ArtifactKind, bytes: number): Promise<void> {
  const given = { bytes, created_at: Date.now() }
  await db
    .insertInto('artifacts')
    .values({ task_id: taskId, attempt, kind, ...given })
    .onConflict((conflict) => conflict.columns(['task_id', 'attempt', 'kind']).doUpdateSet(given))
    .execute()
}

/**
 * @param kinds of one attempt, the first of them wins
 * @returns the newest attempt that left one of these kinds, of one turn or of the whole task
 */
export async function newestOf(
  db: Store,
  taskId: string,
  kinds: readonly [ArtifactKind, ...ArtifactKind[]],
  turn?: number,
): Promise<{ attempt: number; kind: ArtifactKind } | null> {
  const rows = db
    .selectFrom('artifacts')
    .innerJoin('attempts', (join) =>
      join.onRef('attempts.task_id', '=', 'artifacts.task_id').onRef('attempts.attempt', '=', 'artifacts.attempt'),
    )
    .select(['artifacts.attempt', 'kind'])
    .where('artifacts.task_id', '=', taskId)
    .where('kind', 'in', kinds)
    .$if(turn !== undefined, (query) => query.where('turn', '=', turn ?? 0))
  const found = await rows.orderBy('artifacts.attempt', 'desc').limit(kinds.length).execute()
  const newest = found.filter(({ attempt }) => attempt === found[0]?.attempt)
  const kind = kinds.find((one) => newest.some((row) => row.kind === one))
  return kind === undefined || !found[0] ? null : { attempt: found[0].attempt, kind }
}

/** @returns the newest attempt that left one */
export async function newestArtifact(db: Store, taskId: string, kind: ArtifactKind): Promise<number | null> {
  return (await newestOf(db, taskId, [kind]))?.attempt ?? null
}

export async function hasArtifact(db: Store, taskId: string, attempt: number, kind: ArtifactKind): Promise<boolean> {
  const rows = db.selectFrom('artifacts').select('kind').where('task_id', '=', taskId).where('attempt', '=', attempt)
  return (await rows.where('kind', '=', kind).executeTakeFirst()) !== undefined
}
