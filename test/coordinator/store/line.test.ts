import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import type { Reason } from '../../../contract/api/reason.ts'
import { CONTRACT_VERSION } from '../../../contract/wire/lease.ts'
import { createLedger, type Ledger } from '../../../coordinator/store/ledger.ts'
import { listInLine, readLine, releaseTask } from '../../../coordinator/store/line.ts'
import type { Store } from '../../../coordinator/store/sqlite/database.ts'
import { summariesOf, summaryOf } from '../../../coordinator/store/summary.ts'
import { findTask, listTasks } from '../../../coordinator/store/tasks.ts'
import { createRandom } from '../../support/scripted/random.ts'
import { openTestDatabase, type TestDatabase } from '../../support/systems/database.ts'

let database: TestDatabase
let db: Store
beforeEach(async () => {
  database = await openTestDatabase()
  db = database.db
})
afterEach(() => database.close())

async function addUser(id: string, lastReleasedAt: number) {
  await sql`insert into users (id, identity, name, admin, last_released_at, created_at)
    values (${id}, ${id}, ${id}, 0, ${lastReleasedAt}, 1)`.execute(db)
}
/** Named after its user and its age. */
async function addTask(userId: string, createdAt: number, status = 'pending', reason: Reason | null = 'queued') {
  const id = `${userId}${createdAt}`
  await sql`insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, reason, turn, attempt, last_seq, created_at)
    values (${id}, ${userId}, 'https://github.com/o/n', 'b', 'p', 'm', 5, 0, ${status}, ${reason}, 1, 0, 0, ${createdAt})`.execute(
    db,
  )
  return id
}
function setRunner(seenAt: number) {
  return sql`insert into runners (id, name, slots, seen_at, contract) values ('r', 'R', 1, ${seenAt}, ${CONTRACT_VERSION})
    on conflict (id) do update set seen_at = excluded.seen_at`.execute(db)
}
async function inLine(limit: number) {
  return (await listInLine(db, limit)).map(({ taskId }) => taskId)
}
async function placeOf(taskId: string) {
  const task = await findTask(db, taskId)
  return task && (await summaryOf(db, task)).queuePosition
}

describe('the line', () => {
  it('takes the user who waited longest, then each in turn, each with the oldest first', async () => {
    expect(await inLine(3)).toEqual([])
    for (const [id, at] of Object.entries({ a: 9, b: 4, c: 5, d: 1 })) await addUser(id, at)
    for (const [user, at] of [
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['b', 8],
      ['b', 7],
      ['c', 9],
    ] as const)
      await addTask(user, at)
    await addTask('d', 1, 'running', null)
    await addTask('d', 2, 'completed', 'done')
    expect(await inLine(5)).toEqual(['b7', 'c9', 'a1', 'b8', 'a2'])
    expect(await inLine(99)).toEqual(['b7', 'c9', 'a1', 'b8', 'a2', 'a3'])
  })

  it('is the same as choosing round by round, whoever waits, and as releasing one after another', async () => {
    const random = createRandom(7)
    const waiting: { id: string; user: string; at: number }[] = []
    const releasedAt = new Map<string, number>()
    for (let user = 0; user < 7; user++) {
      const name = String.fromCharCode(97 + user)
      releasedAt.set(name, random.between(0, 2))
      await addUser(name, releasedAt.get(name) ?? 0)
      for (let n = random.between(0, 8); n > 0; n--) {
        const at = waiting.length * 2 + random.between(0, 39) * 100
        waiting.push({ id: await addTask(name, at), user: name, at })
      }
    }
    const byAge = (a: { id: string; at: number }, b: { id: string; at: number }) => a.at - b.at || (a.id < b.id ? -1 : 1)
    const users = [...releasedAt.keys()]
      .map((user) => waiting.filter((task) => task.user === user).sort(byAge))
      .flatMap((tasks) => (tasks[0] ? [{ tasks, first: tasks[0] }] : []))
      .sort((a, b) => (releasedAt.get(a.first.user) ?? 0) - (releasedAt.get(b.first.user) ?? 0) || byAge(a.first, b.first))
    const rounds = Array.from({ length: 9 }, (_, round) => users.flatMap(({ tasks }) => tasks[round]?.id ?? []))
    expect(await inLine(1_000)).toEqual(rounds.flat())

    const line = await inLine(1_000)
    const released: string[] = []
    for (let head = (await listInLine(db, 1))[0]; head; head = (await listInLine(db, 1))[0]) {
      // All in the same millisecond.
      await releaseTask(db, head, 5)
      released.push(head.taskId)
    }
    expect(released).toEqual(line)
    expect((await readLine(db, 5)).taskIds).toEqual(line)
  })

  it('gives a task its place, the released ones in front, and the same one alone and in a list', async () => {
    for (const id of ['a', 'b']) await addUser(id, 0)
    for (const at of [1, 2, 3]) await addTask('a', at)
    await addTask('b', 4)
    await releaseTask(db, { taskId: 'a1', userId: 'a' }, 10)
    await addTask('b', 5, 'running', null)
    const places = { a1: 0, b4: 1, a2: 2, a3: 3, b5: null }
    for (const [id, place] of Object.entries(places)) expect([id, await placeOf(id)]).toEqual([id, place])
    const listed = await listTasks(db, 'a', { limit: 9 }, null)
    expect((await summariesOf(db, listed)).map(({ id, queuePosition }) => [id, queuePosition])).toEqual([
      ['a3', 3],
      ['a2', 2],
      ['a1', 0],
    ])
  })

  it('reads only its head, however many wait behind it', async () => {
    for (const id of ['a', 'b']) await addUser(id, 0)
    await db.transaction().execute(async (tx) => {
      for (let at = 0; at < 2_000; at++)
        await sql`insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, reason, turn, attempt, last_seq, created_at)
          values (${`a${at}`}, 'a', 'r', 'b', 'p', 'm', 5, 0, 'pending', 'queued', 1, 0, 0, ${at})`.execute(tx)
    })
    await addTask('b', 9_999)
    let rowsRead = 0
    const counted = db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        rowsRead += result.rows.length
        return result
      },
    })
    const first = await findTask(db, 'b9999')
    expect(first && (await summaryOf(counted, first)).queuePosition).toBe(1)
    expect(rowsRead).toBeLessThanOrEqual(600)
    // The last one is too far back to be counted.
    expect(await placeOf('a1999')).toBe(null)
    expect(await placeOf('a498')).toBe(499)

    const asked: { sql: string; parameters: readonly unknown[] }[] = []
    const noting = db.withPlugin({
      transformQuery: ({ node }) => {
        asked.push(db.getExecutor().compileQuery(node, { queryId: 'test' }))
        return node
      },
      transformResult: async ({ result }) => result,
    })
    await readLine(noting, 0)
    expect(asked.length).toBeGreaterThan(2)
    for (const { sql: text, parameters } of asked) {
      const explained = sql.raw<{ detail: string }>(`explain query plan ${text.replaceAll('?', () => "''")}`)
      expect(parameters.length).toBeLessThan(5)
      const details = (await explained.execute(db)).rows.map(({ detail }) => detail)
      expect(details.filter((detail) => /^SCAN (tasks|oldest|next)/.test(detail))).toEqual([])
    }
  })
})

describe('why a task waits', () => {
  let told: string[]
  let ledger: Ledger
  beforeEach(async () => {
    told = []
    ledger = createLedger(db, {
      events: () => undefined,
      task: (_userId, { id, reason }) => told.push(`${id} ${reason}`),
      deleted: () => undefined,
    })
    await addUser('a', 0)
  })
  const reasonOf = async (id: string) => {
    const task = await findTask(db, id)
    return task && (await summaryOf(db, task)).reason
  }

  it('is that no runner takes tasks, as long as that is so, whatever its row has', async () => {
    await addTask('a', 1)
    await addTask('a', 2, 'pending', 'runner_lost')
    await addTask('a', 3, 'running', null)
    expect(await Promise.all(['a1', 'a2', 'a3'].map(reasonOf))).toEqual(['no_runner', 'no_runner', null])
    await setRunner(Date.now())
    expect(await Promise.all(['a1', 'a2', 'a3'].map(reasonOf))).toEqual(['queued', 'runner_lost', null])
    expect((await findTask(db, 'a1'))?.reason).toBe('queued')
  })

  it('is told once to all when it changes, and a turn that was interrupted before only waits to be retried from then on', async () => {
    await setRunner(Date.now())
    await ledger.tellWaiting()
    await addTask('a', 1)
    await addTask('a', 2, 'pending', 'runner_lost')
    await addTask('a', 3, 'pending', 'sandbox_killed')
    const interrupt = (taskId: string, endedAt: number) =>
      sql`update tasks set attempt = 1 where id = ${taskId}`.execute(db).then(() =>
        sql`insert into attempts (task_id, attempt, turn, runner_id, runner_name, last_n, lease_until, started_at, ended_at)
          values (${taskId}, 1, 1, 'r', 'R', 0, 0, 0, ${endedAt})`.execute(db),
      )
    await interrupt('a2', Date.now())
    // Interrupted only after a runner was back, and before that was noticed.
    await interrupt('a3', Date.now() + 60_000)
    for (let look = 0; look < 3; look++) await ledger.tellWaiting()
    expect(told).toEqual([])
    await setRunner(0)
    for (let look = 0; look < 3; look++) await ledger.tellWaiting()
    expect(told.splice(0).sort()).toEqual(['a1 no_runner', 'a2 no_runner', 'a3 no_runner'])
    await setRunner(Date.now())
    for (let look = 0; look < 3; look++) await ledger.tellWaiting()
    expect(told.splice(0).sort()).toEqual(['a1 queued', 'a2 retrying', 'a3 sandbox_killed'])
    expect(await reasonOf('a2')).toBe('retrying')
  })

  it('is told to the others, too, when a write meets the change first', async () => {
    await setRunner(Date.now())
    await ledger.tellWaiting()
    await addTask('a', 1)
    await addTask('a', 2)
    await setRunner(0)
    const write = () =>
      ledger.write(async (tx, record) => {
        const task = await findTask(tx, 'a1')
        if (task) record(task, [])
      })
    await write()
    expect(told.splice(0).sort()).toEqual(['a1 no_runner', 'a2 no_runner'])
    await setRunner(Date.now())
    await ledger.tellWaiting()
    expect(told.splice(0).sort()).toEqual(['a1 queued', 'a2 queued'])
  })

  it('is told to at most as many as have a place', async () => {
    for (let at = 0; at < 520; at++) await addTask('a', at)
    await ledger.tellWaiting()
    expect(new Set(told).size).toBe(500)
  })
})
