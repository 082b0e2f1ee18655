import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { LIMITS } from '../../../contract/api/limits.ts'
import { endAttempt, runnerLost } from '../../../coordinator/attempts/end-attempt.ts'
import { createReadiness } from '../../../coordinator/ops/readiness.ts'
import { isStoreTrouble } from '../../../coordinator/process/errors.ts'
import { findOwnBudget, setOwnBudget, upsertOwner } from '../../../coordinator/store/accounts/users.ts'
import { findAttempt } from '../../../coordinator/store/attempts.ts'
import { appendEvents } from '../../../coordinator/store/events.ts'
import { createLedger } from '../../../coordinator/store/ledger.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { findTask, moveTask, type TaskRow } from '../../../coordinator/store/tasks.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { folderForEach } from '../../support/systems/closing.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { ROOMY } from '../../support/systems/database.ts'

describe('the database', () => {
  const folder = folderForEach()

  it('is for its own user alone, survives any commit, and can be opened again', async () => {
    const path = join(folder.path, 'deep', 'errand.db')
    await mkdir(join(folder.path, 'deep'))
    await chmod(join(folder.path, 'deep'), 0o755)
    for (let start = 0; start < 2; start++) {
      const db = await openDatabase(path)
      const pragma = async (name: string) =>
        Object.values((await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db)).rows[0] ?? {})[0]
      expect([await pragma('journal_mode'), await pragma('synchronous'), await pragma('foreign_keys')]).toEqual(['wal', 2, 1])
      await db.destroy()
    }
    expect((await stat(join(folder.path, 'deep'))).mode & 0o777).toBe(0o700)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('keeps a user’s own budget over the next sign-in and the next start', async () => {
    const path = join(folder.path, 'errand.db')
    for (const expected of [null, 0.25]) {
      const db = await openDatabase(path)
      const { id } = await upsertOwner(db)
      expect(await findOwnBudget(db, id)).toBe(expected)
      await setOwnBudget(db, id, 0.25)
      await db.destroy()
    }
  })

  it('is ready only while it takes writes, and is asked for a proof now and then', async () => {
    const db = await openDatabase(join(folder.path, 'errand.db'))
    const redis = { ping: async () => 'PONG', proveWritable: async () => 'OK' }
    const always = createReadiness({ db, disk: ROOMY, redis, proofMs: 0 })
    const seldom = createReadiness({ db, disk: ROOMY, redis, proofMs: 60_000 })
    expect([await always(), await seldom()]).toEqual([
      { store: true, redis: true, disk: true },
      { store: true, redis: true, disk: true },
    ])
    await sql`pragma query_only = on`.execute(db)
    expect([await always(), await seldom()]).toEqual([
      { store: false, redis: true, disk: true },
      { store: true, redis: true, disk: true },
    ])
    await sql`pragma query_only = off`.execute(db)
    expect(await always()).toEqual({ store: true, redis: true, disk: true })
    await db.destroy()
    expect(await seldom()).toEqual({ store: false, redis: true, disk: true })
  })

  it('says that it is full, keeps what it had, and goes on when there is room', async () => {
    const db = await openDatabase(join(folder.path, 'errand.db'))
    const pages = async () => (await sql<{ page_count: number }>`pragma page_count`.execute(db)).rows[0]?.page_count ?? 0
    const fill = (bytes: number) =>
      db.transaction().execute(async (tx) => {
        await tx
          .insertInto('runners')
          .values({ id: `r${bytes}`, name: 'x'.repeat(bytes), slots: 1, seen_at: 0 })
          .execute()
      })
    await fill(1)
    await sql.raw(`pragma max_page_count = ${await pages()}`).execute(db)
    const error = await fill(100_000).then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'SQLITE_FULL' })
    expect(isStoreTrouble(error)).toBe(true)
    await sql.raw('pragma max_page_count = 1000000').execute(db)
    await fill(100_001)
    expect(await db.selectFrom('runners').select('id').orderBy('id').execute()).toEqual([{ id: 'r1' }, { id: 'r100001' }])
    await db.destroy()
  })

  it('is refused to a second owner, and free again after the first', async () => {
    const path = join(folder.path, 'errand.db')
    const first = await openDatabase(path)
    await expect(openDatabase(path)).rejects.toThrow('Another coordinator uses')
    await first.destroy()
    await (await openDatabase(path)).destroy()
  })

  it('says so when the file is something else, and lets go of it', async () => {
    const path = join(folder.path, 'errand.db')
    await writeFile(path, 'not a database at all '.repeat(400))
    // The driver's errors are of the realm of the first test file in this process: Jest does not know them as errors.
    const refusal = () => openDatabase(path).then(() => 'opened', String)
    expect(await refusal()).toMatch(/not a database/)
    expect(await refusal()).toMatch(/not a database/)
  })
})

describe('tasks', () => {
  let core: Core
  let ada: User
  beforeAll(async () => {
    core = await startCore()
    ada = await core.addUser('ada')
    await core.leases.renew({ runner: { id: 'runner-a', name: 'A', slots: 100 }, attempts: [] })
  })
  afterAll(() => core.stop())
  const row = async (): Promise<TaskRow> => (await findTask(core.db, (await core.create(ada)).id)) as TaskRow

  it('refuses a move that the table of moves does not have', async () => {
    const task = await row()
    await expect(moveTask(core.db, task, 'completed', 'attempt', {}, 1)).rejects.toThrow(
      'may not move it from pending to completed',
    )
    await expect(moveTask(core.db, task, 'running', 'user', {}, 1)).rejects.toThrow('user may not move')
    expect((await findTask(core.db, task.id))?.status).toBe('pending')
  })

  it('stores thousands of events at once without a hole', async () => {
    const task = await row()
    const many = Array.from({ length: 2_500 }, (_, i) => ({
      attempt: 0,
      n: null,
      at: i,
      event: { type: 'text.written' as const, data: { text: `${i} \u2028 \ud800 "` } },
    }))
    const [events, after] = await core.db.transaction().execute((tx) => appendEvents(tx, task, many))
    expect([events[0]?.seq, events.at(-1)?.seq, after.last_seq]).toEqual([3, 2_502, 2_502])
    const page = await core.tasks.events(ada.id, task.id, { after: 2_500, limit: 1_000 })
    expect(page).toMatchObject({ more: false, lastSeq: 2_502, events: [{ seq: 2_501 }, { seq: 2_502 }] })
  })

  it('gives large events in pages that fit into memory, each with one at least', async () => {
    const task = await row()
    const text = '€'.repeat(60_000)
    const many = Array.from({ length: 60 }, (_, at) => ({
      attempt: 0,
      n: null,
      at,
      event: { type: 'text.written' as const, data: { text } },
    }))
    await core.db.transaction().execute((tx) => appendEvents(tx, task, many))
    const pages: number[] = []
    for (let after = 2, more = true; more; after += pages.at(-1) ?? 0) {
      const page = await core.tasks.events(ada.id, task.id, { after, limit: 1_000 })
      expect(Buffer.byteLength(JSON.stringify(page.events))).toBeLessThan(LIMITS.pageBytes + 200_000)
      expect(page.events[0]?.seq).toBe(after + 1)
      pages.push(page.events.length)
      more = page.more
    }
    expect(pages).toEqual([24, 24, 12])
  })

  it('ends an attempt without reading what its tools said', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const output = 'x'.repeat(16_000)
    const call = (callId: string) => [
      { type: 'tool.started' as const, data: { callId, name: 'bash', title: '', input: { command: output } } },
      {
        type: 'tool.ended' as const,
        data: { callId, name: 'bash', ok: true, output, outputBytes: 0, exitCode: 0, durationMs: 1 },
      },
    ]
    const said = [
      { type: 'turn.started' as const, data: { turn: 1, model: 'm' } },
      ...Array.from({ length: 100 }, (_, n) => call(`c${n}`)).flat(),
      ...call('cut off').slice(0, 1),
    ]
    let read = 0
    const counted = core.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        read += JSON.stringify(result.rows).length
        return result
      },
    })
    await counted.transaction().execute(async (tx) => {
      const [task, attempt] = [await findTask(tx, id), await findAttempt(tx, id, 1)]
      if (!task || !attempt) throw new Error('no such attempt')
      const [, told] = await appendEvents(
        tx,
        task,
        said.map((event, n) => ({ event, attempt: 1, n, at: 1 })),
      )
      await endAttempt(tx, () => undefined, told, attempt, runnerLost(2))
    })
    expect(read).toBeLessThan(100_000)
    const { events } = await core.tasks.events(ada.id, id, { after: 2 + said.length + 1, limit: 10 })
    expect(events).toMatchObject([
      { type: 'tool.ended', attempt: 1, data: { callId: 'cut off', name: 'bash', ok: false } },
      { type: 'turn.ended', attempt: 1, data: { turn: 1 } },
      { type: 'attempt.ended', attempt: 1 },
    ])
  })

  it('shows messages and tool calls as tables', async () => {
    const lease = await core.lease((await core.create(ada, { prompt: 'Ask' })).id)
    await core.runner.send(lease, 1, {
      type: 'tool.started',
      data: { callId: 'c', name: 'bash', title: 'ls', input: { command: 'ls' } },
    })
    const result = { callId: 'c', name: 'bash', ok: true, output: 'out', outputBytes: 3, exitCode: 0, durationMs: 12 }
    await core.runner.send(lease, 2, { type: 'tool.ended', data: result })
    await core.runner.send(lease, 3, { type: 'text.written', data: { text: 'Answer' } })
    await core.runner.send(lease, 4, attemptEnded())
    const query = async (view: string) =>
      (await sql.raw<Record<string, unknown>>(`select * from ${view} where task_id = '${lease.taskId}'`).execute(core.db)).rows
    await core.untilStatus(ada, lease.taskId, 'completed')
    expect(await query('messages')).toMatchObject([
      { role: 'user', content: 'Ask' },
      { role: 'assistant', content: 'Answer' },
    ])
    expect(await query('tool_calls')).toMatchObject([{ name: 'bash', input: '{"command":"ls"}', output: 'out', duration_ms: 12 }])
  })

  it('tells of nothing that was not committed, and of the rest in the order of its numbers', async () => {
    const task = await row()
    const told: number[] = []
    const ledger = createLedger(core.db, {
      events: (_user, events) => told.push(...events.map(({ seq }) => seq)),
      task: () => undefined,
      deleted: () => undefined,
    })
    const write = (fail: boolean) =>
      ledger.write(async (tx, record) => {
        const now = (await findTask(tx, task.id)) as TaskRow
        const event = { type: 'text.written' as const, data: { text: 'x' } }
        const [events, after] = await appendEvents(tx, now, [{ event, attempt: 0, n: null, at: 1 }])
        record(after, events)
        if (fail) throw new Error('too bad')
      })
    const writes = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => write(i % 4 === 0)))
    expect(writes.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    expect(told).toEqual(Array.from({ length: 30 }, (_, i) => i + 3))
  })
})
