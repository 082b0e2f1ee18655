import { sql } from 'kysely'
import type { Storage } from '../../contract/api/overview.ts'
import type { Store } from './sqlite/database.ts'
import { readSize } from './sqlite/vacuum.ts'

/** Files by what they are. */
const KIND = sql<string>`case
  when kind like 'output.%' then 'outputs'
  when kind = 'bundle' then 'bundles'
  when kind = 'transcript' then 'conversations'
  when kind like '%patch' then 'patches'
  else 'others' end`

/** What the database and the stored files take. @param userBytes what one user may have; their outputs may have half of it */
export async function findUsedSpace(db: Store, userBytes: number): Promise<Pick<Storage, 'database' | 'kinds' | 'users'>> {
  const kinds = await db
    .selectFrom('artifacts')
    .select([KIND.as('kind'), (eb) => eb.fn.countAll().as('files'), (eb) => eb.fn.sum('bytes').as('bytes')])
    .groupBy(KIND)
    .execute()
  const users = await db
    .selectFrom('users')
    .innerJoin('tasks', 'tasks.user_id', 'users.id')
    .innerJoin('artifacts', 'artifacts.task_id', 'tasks.id')
    .select(['users.id', 'users.name', (eb) => eb.fn.sum('bytes').as('bytes')])
    .select(sql<number>`coalesce(sum(case when kind like 'output.%' then bytes end), 0)`.as('outputBytes'))
    .groupBy(['users.id', 'users.name'])
    .execute()
  const bySize = (a: { bytes: number }, b: { bytes: number }) => b.bytes - a.bytes
  return {
    database: await readSize(db),
    kinds: kinds.map(({ kind, files, bytes }) => ({ kind, files: Number(files), bytes: Number(bytes) })).sort(bySize),
    users: users
      .map(({ id, name, bytes, outputBytes }) => ({ id, name, bytes: Number(bytes), outputBytes: Number(outputBytes) }))
      .map((user) => ({ ...user, full: user.bytes >= userBytes || user.outputBytes >= userBytes / 2 - LAST_OUTPUT }))
      .sort(bySize),
  }
}

/** Fewer bytes than a large output needs: the next ones are probably refused. */
const LAST_OUTPUT = 1024 * 1024
