import type { Overview } from '../../contract/api/overview.ts'
import { REASONS, type Reason } from '../../contract/api/reason.ts'
import { TaskStatus } from '../../contract/api/status.ts'
import { RUNNER_SILENT_MS } from '../../contract/wire/deadlines.ts'
import { SESSION_IDLE_MS } from './accounts/sessions.ts'
import { whyNotTaking } from './runners.ts'
import type { Store } from './sqlite/database.ts'
import { countByStatus } from './tasks.ts'

/** Runners, tasks and users of the whole server. */
export async function findOverview(db: Store, now: number): Promise<Pick<Overview, 'runners' | 'tasks' | 'users'>> {
  return {
    runners: await listRunners(db, now),
    tasks: {
      ...(Object.fromEntries(TaskStatus.options.map((status) => [status, 0])) as Overview['tasks']),
      ...Object.fromEntries((await countByStatus(db)).map(({ status, count }) => [status, count])),
    },
    users: await listUsers(db),
  }
}

/** The last to be heard from comes first. */
async function listRunners(db: Store, now: number): Promise<Overview['runners']> {
  const rows = await db
    .selectFrom('runners')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('attempts')
        .select(({ fn }) => fn.countAll().as('busy'))
        .whereRef('attempts.runner_id', '=', 'runners.id')
        .where('ended_at', 'is', null)
        .as('busy'),
    )
    .orderBy('seen_at', 'desc')
    .execute()
  return rows.map(({ id, name, slots, busy, seen_at, ...row }) => ({
    id,
    name,
    slots,
    busy: Number(busy),
    ...unwellOf(whyNotTaking(row), row.unwell_message),
    seenAt: new Date(seen_at).toISOString(),
    connected: seen_at >= now - RUNNER_SILENT_MS,
  }))
}

function unwellOf(reason: Reason | null, message: string | null): Pick<Overview['runners'][number], 'unwell'> {
  return reason === null ? {} : { unwell: { reason, reasonText: REASONS[reason], message: message ?? '' } }
}

async function listUsers(db: Store): Promise<Overview['users']> {
  const rows = await db
    .selectFrom('users')
    .select(['id', 'name', 'deleted_cost_usd'])
    .select((eb) => [
      eb
        .selectFrom('tasks')
        .select(({ fn }) => fn.countAll().as('n'))
        .whereRef('user_id', '=', 'users.id')
        .where('deleted_at', 'is', null)
        .as('tasks'),
      eb
        .selectFrom('tasks')
        .select(({ fn }) => fn.sum('cost_usd').as('n'))
        .whereRef('user_id', '=', 'users.id')
        // The costs of the demo are made up.
        .where('demo', '=', 0)
        .where('deleted_at', 'is', null)
        .as('cost'),
      eb
        .selectFrom('sessions')
        .select(({ fn }) => fn.max('expires_at').as('n'))
        .whereRef('user_id', '=', 'users.id')
        .as('session'),
      eb
        .selectFrom('api_tokens')
        .select(({ fn }) => fn.max('last_used_at').as('n'))
        .whereRef('user_id', '=', 'users.id')
        .as('token'),
    ])
    .orderBy('name')
    .execute()
  return rows.map(({ id, name, deleted_cost_usd, tasks, cost, session, token }) => {
    const seenAt = Math.max(session === null ? 0 : Number(session) - SESSION_IDLE_MS, Number(token ?? 0))
    return {
      id,
      name,
      tasks: Number(tasks),
      costUsd: Number(cost ?? 0) + deleted_cost_usd,
      lastSeenAt: seenAt === 0 ? null : new Date(seenAt).toISOString(),
    }
  })
}
