import { sql } from 'kysely'
import { pino } from 'pino'
import type { Reason } from '../../../contract/api/reason.ts'
import { createPresence } from '../../../coordinator/live/serve-socket.ts'
import { type NotifierParts, openNotifier } from '../../../coordinator/notify/notifier.ts'
import { createOutside } from '../../../coordinator/notify/outside.ts'
import { createWebPush } from '../../../coordinator/notify/web-push.ts'
import { upsertOwner } from '../../../coordinator/store/accounts/users.ts'
import { appendEvents } from '../../../coordinator/store/events.ts'
import { createLedger } from '../../../coordinator/store/ledger.ts'
import { findTask, moveTask } from '../../../coordinator/store/tasks.ts'
import { openTestDatabase } from '../../support/systems/database.ts'

export const PUBLIC_URL = 'https://errand.example'

export type Notices = Awaited<ReturnType<typeof startNotices>>

/** Store, ledger and notifier as `start.ts` joins them, for one user with tasks that end when the test says so. */
export async function startNotices(given: Partial<NotifierParts> = {}) {
  const { db, dataDir, close } = await openTestDatabase()
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const webPush = await createWebPush({ dataDir, publicUrl: PUBLIC_URL })
  const presence = createPresence()
  const outside = createOutside(true)
  const parts = { db, log, webPush, presence, outside, publicUrl: PUBLIC_URL, pausesMs: [10, 10], ...given }
  const notifier = openNotifier(parts)
  const ledger = createLedger(db, notifier.audience)
  const user = await upsertOwner(db)
  return {
    db,
    webPush,
    presence,
    user,
    notifier,
    /** Another one on the same store; the ledger goes on speaking to the first as well. */
    startAgain: (other: Partial<NotifierParts>) => openNotifier({ ...parts, ...other }),
    facts: (event: string) => lines.map((line) => JSON.parse(line)).filter((fact) => fact.event === event),
    log: () => lines.join(''),
    addTask: async (id: string, prompt: string, status = 'running', reason: Reason | null = null) => {
      await sql`insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, reason, turn, attempt, last_seq, created_at)
        values (${id}, ${user.id}, 'https://github.com/o/n', 'b', ${prompt}, 'm', 5, 0, ${status}, ${reason}, 1, 1, 0, 1)`.execute(
        db,
      )
    },
    end: (id: string, status: 'completed' | 'failed' | 'cancelled', reason: Reason) =>
      ledger.write(async (tx, record) => {
        const task = await findTask(tx, id)
        if (!task) throw new Error('no such task')
        const moved = await moveTask(tx, task, status, 'attempt', { reason }, Date.now())
        const data = { turn: 1, status, reason, message: 'const secret = 1', branch: null }
        const [events, ended] = await appendEvents(tx, moved, [
          { event: { type: 'task.ended', data }, attempt: 0, n: null, at: Date.now() },
        ])
        record(ended, events)
      }),
    stop: async () => {
      await notifier.stop()
      await close()
    },
  }
}
