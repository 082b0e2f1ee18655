import { sql } from 'kysely'
import type { Store } from './sqlite/database.ts'

/**
 * How many tasks will be handed out before each that waits, as it stands: first those that the queue has already, then round by round as
 * `choose-next.ts` takes them, one of each user.
 */
export async function listQueuePlaces(db: Store): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ id: string }>`
    with waiting as (
      select tasks.id, tasks.created_at, released_at, users.last_released_at,
             row_number() over same_user as round, min(tasks.created_at) over same_user as oldest
      from tasks join users on users.id = tasks.user_id
      where status = 'pending'
      window same_user as (partition by user_id, released_at is null order by tasks.created_at, tasks.id)
    )
    select id from waiting
    order by released_at is null, released_at, round, last_released_at, oldest, created_at, id`.execute(db)
  return new Map(rows.map(({ id }, place) => [id, place]))
}
