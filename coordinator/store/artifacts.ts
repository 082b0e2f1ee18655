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

/** @returns the newest attempt of this turn that left one */
export async function newestArtifactOfTurn(db: Store, taskId: string, turn: number, kind: ArtifactKind): Promise<number | null> {
  const rows = db
    .selectFrom('artifacts')
    .innerJoin('attempts', (join) =>
      join.onRef('attempts.task_id', '=', 'artifacts.task_id').onRef('attempts.attempt', '=', 'artifacts.attempt'),
    )
    .select('artifacts.attempt')
    .where('artifacts.task_id', '=', taskId)
    .where('kind', '=', kind)
    .where('turn', '=', turn)
  return (await rows.orderBy('artifacts.attempt', 'desc').limit(1).executeTakeFirst())?.attempt ?? null
}

/** @returns the newest attempt that left one */
export async function newestArtifact(db: Store, taskId: string, kind: ArtifactKind): Promise<number | null> {
  const rows = db.selectFrom('artifacts').select('attempt').where('task_id', '=', taskId).where('kind', '=', kind)
  return (await rows.orderBy('attempt', 'desc').limit(1).executeTakeFirst())?.attempt ?? null
}

export async function hasArtifact(db: Store, taskId: string, attempt: number, kind: ArtifactKind): Promise<boolean> {
  const rows = db.selectFrom('artifacts').select('kind').where('task_id', '=', taskId).where('attempt', '=', attempt)
  return (await rows.where('kind', '=', kind).executeTakeFirst()) !== undefined
}
