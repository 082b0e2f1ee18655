import { sql } from 'kysely'
import type { ArtifactKind } from '../../contract/wire/sandbox.ts'
import type { Store } from './sqlite/database.ts'

/** Names one stored file. */
export type ArtifactId = { taskId: string; attempt: number; kind: ArtifactKind }

/** Notes that an artifact is on the disk; it replaces an earlier one of the same kind and attempt. */
export async function putArtifact(db: Store, { taskId, attempt, kind }: ArtifactId, bytes: number): Promise<void> {
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

export async function hasArtifact(db: Store, { taskId, attempt, kind }: ArtifactId): Promise<boolean> {
  const rows = db.selectFrom('artifacts').select('kind').where('task_id', '=', taskId).where('attempt', '=', attempt)
  return (await rows.where('kind', '=', kind).executeTakeFirst()) !== undefined
}

/** @returns those of them that have a row */
export async function findArtifacts(db: Store, artifacts: readonly ArtifactId[]): Promise<ArtifactId[]> {
  if (artifacts.length === 0) return []
  const rows = await db
    .selectFrom('artifacts')
    .select(['task_id', 'attempt', 'kind'])
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('task_id', 'attempt', 'kind'),
        'in',
        artifacts.map(({ taskId, attempt, kind }) => tuple(taskId, attempt, kind)),
      ),
    )
    .execute()
  return rows.map(({ task_id, attempt, kind }) => ({ taskId: task_id, attempt, kind: kind as ArtifactKind }))
}

/** What is stored already, bytes. */
export type Sums = { attempt: number; task: number; user: number }

/**
 * Sums the stored outputs of tools around one artifact, which itself does not count: it is about to be replaced.
 * @returns null if there is no such task
 */
export async function sumOutputs(db: Store, { taskId, attempt, kind }: ArtifactId): Promise<(Sums & { userId: string }) | null> {
  const owner = await db.selectFrom('tasks').select('user_id').where('id', '=', taskId).executeTakeFirst()
  if (!owner) return null
  const bytesIf = (condition: ReturnType<typeof sql>) => sql<number>`coalesce(sum(case when ${condition} then bytes end), 0)`
  const sums = await db
    .selectFrom('artifacts')
    .innerJoin('tasks', 'tasks.id', 'artifacts.task_id')
    .select([
      bytesIf(sql`task_id = ${taskId} and artifacts.attempt = ${attempt}`).as('attempt'),
      bytesIf(sql`task_id = ${taskId}`).as('task'),
      bytesIf(sql`true`).as('user'),
    ])
    .where('user_id', '=', owner.user_id)
    .where('kind', 'like', 'output.%')
    .where((eb) => eb.not(eb.and({ task_id: taskId, 'artifacts.attempt': attempt, kind })))
    .executeTakeFirstOrThrow()
  return { attempt: Number(sums.attempt), task: Number(sums.task), user: Number(sums.user), userId: owner.user_id }
}

/** @returns the bytes of everything that is stored for one user: files and histories */
export async function sumOfUser(db: Store, userId: string): Promise<number> {
  const files = await db
    .selectFrom('artifacts')
    .innerJoin('tasks', 'tasks.id', 'artifacts.task_id')
    .select((eb) => eb.fn.sum('bytes').as('bytes'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  const histories = db.selectFrom('tasks').select((eb) => eb.fn.sum('event_bytes').as('bytes'))
  const events = await histories.where('user_id', '=', userId).where('deleted_at', 'is', null).executeTakeFirstOrThrow()
  return Number(files.bytes ?? 0) + Number(events.bytes ?? 0)
}

/** A patch that was made outside replaces the sandbox's own account too; the account replaces only an earlier account. */
const REPLACED_BY: Readonly<Partial<Record<ArtifactKind, { kinds: readonly ArtifactKind[]; within: 'task' | 'turn' }>>> = {
  // What leaves the host while a turn runs is superseded by what the turn stores at its end.
  transcript: { kinds: ['transcript', 'journal', 'checkpoint'], within: 'task' },
  journal: { kinds: ['journal'], within: 'task' },
  checkpoint: { kinds: ['checkpoint'], within: 'task' },
  patch: { kinds: ['patch', 'unpushed-patch'], within: 'task' },
  'unpushed-patch': { kinds: ['unpushed-patch'], within: 'task' },
  'turn-patch': { kinds: ['turn-patch', 'unpushed-turn-patch'], within: 'turn' },
  'unpushed-turn-patch': { kinds: ['unpushed-turn-patch'], within: 'turn' },
}

/** How many bundles one task keeps. Each may hold work of its own that could not be pushed; people get the newest. */
const BUNDLES = 5

/** Deletes the rows of what nobody reads now that this artifact is stored. @returns the names of their files */
export async function deleteSuperseded(db: Store, { taskId, attempt, kind }: ArtifactId): Promise<ArtifactId[]> {
  const replaced = REPLACED_BY[kind]
  const ofTask = db.selectFrom('artifacts').select(['attempt', 'kind']).where('task_id', '=', taskId)
  if (kind === 'bundle') {
    const old = await ofTask.where('kind', '=', kind).orderBy('attempt', 'desc').offset(BUNDLES).limit(100).execute()
    return deleteArtifacts(db, taskId, old)
  }
  if (!replaced) return []
  const earlier = await ofTask
    .where('kind', 'in', replaced.kinds)
    .where((eb) => eb.or([eb('attempt', '<', attempt), eb.and([eb('attempt', '=', attempt), eb('kind', '!=', kind)])]))
    .$if(replaced.within === 'turn', (query) =>
      query.where('attempt', 'in', (eb) =>
        eb
          .selectFrom('attempts')
          .select('attempts.attempt')
          .where('task_id', '=', taskId)
          .where('turn', '=', (turn) =>
            turn.selectFrom('attempts').select('turn').where('task_id', '=', taskId).where('attempt', '=', attempt),
          ),
      ),
    )
    .execute()
  return deleteArtifacts(db, taskId, earlier)
}

/** Deletes the rows of a task's checkpoints: its turn has ended. The sweep removes their files. */
export async function deleteCheckpoints(db: Store, taskId: string): Promise<void> {
  await db.deleteFrom('artifacts').where('task_id', '=', taskId).where('kind', '=', 'checkpoint').execute()
}

async function deleteArtifacts(
  db: Store,
  taskId: string,
  rows: readonly { attempt: number; kind: string }[],
): Promise<ArtifactId[]> {
  for (const { attempt, kind } of rows)
    await db
      .deleteFrom('artifacts')
      .where('task_id', '=', taskId)
      .where('attempt', '=', attempt)
      .where('kind', '=', kind)
      .execute()
  return rows.map(({ attempt, kind }) => ({ taskId, attempt, kind: kind as ArtifactKind }))
}

/** @returns every artifact of the server with its size, in a fixed order */
export async function listArtifacts(db: Store): Promise<(ArtifactId & { bytes: number })[]> {
  const rows = db.selectFrom('artifacts').select(['task_id', 'attempt', 'kind', 'bytes'])
  const listed = await rows.orderBy('task_id').orderBy('attempt').orderBy('kind').execute()
  return listed.map(({ task_id: taskId, attempt, kind, bytes }) => ({
    taskId,
    attempt,
    kind: kind as ArtifactKind,
    bytes: Number(bytes),
  }))
}
