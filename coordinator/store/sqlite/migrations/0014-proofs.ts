import { type Kysely, sql } from 'kysely'

/** Runners tell their version, can be drained, and prove that they hold an attempt; those that hold one from before this cannot. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runners add column contract integer not null default 0`.execute(db)
  await sql`alter table runners add column draining text`.execute(db)
  await sql`alter table attempts add column proven integer not null default 0`.execute(db)
}
