import { type Kysely, sql } from 'kysely'

/**
 * Two indexes for the fair order. And the reason of a waiting task is from now on its own: that no runner takes tasks was stored on each
 * one, and is now found when its summary is made.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index tasks_in_line on tasks (user_id, created_at, id) where status = 'pending' and released_at is null`.execute(db)
  await sql`create index tasks_released on tasks (released_at) where released_at is not null`.execute(db)

  // An interrupted attempt of the same turn may have left one of the last three itself: that stays.
  const wasTried = sql`exists (
    select 1 from attempts where task_id = tasks.id and attempts.attempt = tasks.attempt and attempts.turn = tasks.turn)`
  await sql`
    update tasks set reason = case when ${wasTried} then 'retrying' else 'queued' end
    where status = 'pending' and (reason in ('no_runner', 'runner_unwell')
      or (reason in ('engine_unavailable', 'image_missing', 'host_disk_full') and not ${wasTried}))`.execute(db)
}
