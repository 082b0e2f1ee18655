import { join } from 'node:path'
import type { Message, Task } from '../../../../contract/api/api.ts'
import type { EventData, NewEvent } from '../../../../contract/api/event.ts'
import { patchHead } from '../../../../contract/wire/patch.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import type { TakenLease } from '../../../support/scripted/scripted-runner.ts'
import { withSqlite } from '../../../support/systems/database.ts'
import type { Person, Stage } from './stage.ts'

/** An event from the runner, so many seconds after the task was sent. */
export type Step = readonly [second: number, event: NewEvent]

export type Told = {
  id: string
  /** A runner takes the turn that waits. */
  take: () => Promise<TakenLease>
  /** What the runner has of it now. */
  lease: () => TakenLease
  tell: (...steps: readonly Step[]) => Promise<void>
  keep: (kind: string, content: string | Uint8Array<ArrayBuffer>) => Promise<void>
  message: (text: string, mode: Message['mode']) => Promise<Message>
  end: (second: number, end?: Partial<EventData<'attempt.ended'>>) => Promise<void>
  /** Moves the coordinator's own events to the times of the story. Tell nothing after it. */
  date: () => void
}

/** The repository of the story. */
export const REPO = 'https://github.com/lighthouse/beacon'

type Beginning = { person: Person; repoUrl?: string; prompt: string; agoSeconds: number; model?: string; budgetUsd?: number }

/** Sends a task, `agoSeconds` in the past, whose runner sends the events it is told to. */
export async function beginTask(stage: Stage, { person, agoSeconds, ...input }: Beginning): Promise<Told> {
  const { runner, calls, held, api } = stage
  const { id } = await api<Task>(person, '/api/tasks', { repoUrl: REPO, ...input })
  const base = Date.now() - agoSeconds * 1000
  let lease: TakenLease | null = null
  let n = 0
  const current = (): TakenLease => {
    if (!lease) throw new Error('nobody has taken the task yet')
    return lease
  }
  const tell: Told['tell'] = async (...steps) => {
    for (const [second, event] of steps) await runner.send(current(), ++n, event, { at: base + second * 1000 })
    await waitFor('the events to be stored', () => runner.acknowledged(current()) === n)
  }
  return {
    id,
    take: async () => {
      lease = await waitFor(`a lease of ${id}`, async () => {
        const { turn } = await api<Task>(person, `/api/tasks/${id}`)
        return calls.lease(await runner.job(id, turn))
      })
      n = 0
      held.set(id, { taskId: id, attempt: lease.attempt })
      return lease
    },
    lease: current,
    tell,
    keep: (kind, content) => calls.keep(current(), kind, isPatch(kind) ? `${patchHead(ORIGIN)}${content}` : content),
    message: (text, mode) =>
      api<Message>(person, `/api/tasks/${id}/messages`, { text, mode, clientId: `${id}-${text.slice(0, 40)}` }),
    end: async (second, end = {}) => {
      await tell([second, { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null, ...end } }])
      held.delete(id)
    },
    date: () => dateTask(stage.dataDir, id, base),
  }
}

/** The same, and a runner takes it. */
export async function beginTakenTask(stage: Stage, beginning: Beginning): Promise<Told> {
  const told = await beginTask(stage, beginning)
  await told.take()
  return told
}

/** The coordinator's own events take the time of the one before; the task that of its first and last. */
function dateTask(dataDir: string, id: string, base: number): void {
  withSqlite(join(dataDir, 'errand.db'), (database) => {
    const rows = database.prepare('select seq, n, at from events where task_id = ? order by seq').all(id) as Row[]
    const set = database.prepare('update events set at = ? where task_id = ? and seq = ?')
    let at = base
    for (const row of rows) {
      at = row.n === null ? at : row.at
      set.run(at, id, row.seq)
    }
    database
      .prepare(
        'update tasks set created_at = ?, started_at = iif(started_at is null, null, ?), completed_at = iif(completed_at is null, null, ?) where id = ?',
      )
      .run(base, base, at, id)
  })
}

type Row = { seq: number; n: number | null; at: number }

/** What the patches of the stories lead to, as a runner notes it. */
const ORIGIN = { base: '1a'.repeat(20), commit: '9f2c1d7e5ab04c3d8e6f7a1b2c3d4e5f60718293' }

function isPatch(kind: string): boolean {
  return kind === 'patch' || kind === 'turn-patch'
}
