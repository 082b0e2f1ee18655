import { sql } from 'kysely'
import type { Storage } from '../../contract/api/overview.ts'
import type { Store } from './sqlite/database.ts'
import { readSize } from './sqlite/vacuum.ts'

/** Files by what they are. */
const KIND = sql<string>`case
  when kind like 'output.%' then 'outputs'
  when kind = 'bundle' then 'bundles'
  when kind in ('transcript', 'journal') then 'conversations'
  when kind like '%patch' then 'patches'
  else 'others' end`

/** What the database and the stored files take. @param userBytes what one user may have; their outputs may have half of it */
export async function findUsedSpace(db: Store, userBytes: number): Promise<Pick<Storage, 'database' | 'kinds' | 'users'>> {
  const kinds = await db
    .selectFrom('artifacts')
    .select([KIND.as('kind'), (eb) => eb.fn.countAll().as('files'), (eb) => eb.fn.sum('bytes').as('bytes')])
    .groupBy(KIND)
    .execute()
  const stored = await db
    .selectFrom('artifacts')
    .innerJoin('tasks', 'tasks.id', 'artifacts.task_id')
    .select(['user_id', (eb) => eb.fn.sum('bytes').as('bytes')])
    .select(sql<number>`coalesce(sum(case when kind like 'output.%' then bytes end), 0)`.as('outputBytes'))
    .groupBy('user_id')
    .execute()
  const users = await db
    .selectFrom('users')
    .innerJoin('tasks', 'tasks.user_id', 'users.id')
    .select(['users.id', 'users.name', (eb) => eb.fn.sum('event_bytes').as('historyBytes')])
    .where('deleted_at', 'is', null)
    .groupBy(['users.id', 'users.name'])
    .execute()
  const filesOf = new Map(stored.map((row) => [row.user_id, row]))
  const bySize = (a: { bytes: number }, b: { bytes: number }) => b.bytes - a.bytes
  return {
    database: await readSize(db),
    kinds: kinds.map(({ kind, files, bytes }) => ({ kind, files: Number(files), bytes: Number(bytes) })).sort(bySize),
    users: users
      .map(({ id, name, historyBytes }) => {
        const files = filesOf.get(id)
        return { id, name, bytes: Number(files?.bytes ?? 0) + Number(historyBytes), outputBytes: Number(files?.outputBytes ?? 0) }
      })
      .map((user) => ({ ...user, full: user.bytes >= userBytes || user.outputBytes >= userBytes / 2 - LAST_OUTPUT }))
      .sort(bySize),
  }
}

/** Fewer bytes than a large output needs: the next ones are probably refused. */
const LAST_OUTPUT = 1024 * 1024
