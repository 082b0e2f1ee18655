import { type Kysely, sql } from 'kysely'

/** The limit of an agent's model calls is a limit of steps: a turn is a user's message and the work on it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['tasks', 'attempts'])
    await sql`update ${sql.table(table)} set reason = 'steps_exceeded' where reason = 'turns_exceeded'`.execute(db)
  await sql`
    update events set data = json_set(data, '$.reason', 'steps_exceeded')
    where type in ('turn.ended', 'attempt.ended', 'task.ended') and json_extract(data, '$.reason') = 'turns_exceeded'`.execute(db)
}
