import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Task } from '../../../contract/api/api.ts'
import { ReceivedEvent } from '../../../contract/api/event.ts'
import { createSecrets } from '../../../coordinator/secrets/secrets.ts'
import { findCredential } from '../../../coordinator/store/accounts/credentials.ts'
import { listDevices } from '../../../coordinator/store/accounts/devices.ts'
import { findNotifications, listSubscriptions } from '../../../coordinator/store/accounts/notifications.ts'
import { findGithubToken, findOwnBudget } from '../../../coordinator/store/accounts/users.ts'
import { newestArtifact } from '../../../coordinator/store/artifacts.ts'
import { listEvents } from '../../../coordinator/store/events.ts'
import { listMessages } from '../../../coordinator/store/inbox.ts'
import { findOverview } from '../../../coordinator/store/overview.ts'
import { listProjects } from '../../../coordinator/store/projects.ts'
import { openDatabase, type Store } from '../../../coordinator/store/sqlite/database.ts'
import { summariesOf } from '../../../coordinator/store/summary.ts'
import { listTasks } from '../../../coordinator/store/tasks.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

/** One for each migration, written by the code of its day through a scripted runner, and dumped with `sqlite3 <file> .dump`. */
const FOLDER = join(import.meta.dirname, 'databases')
const RELEASED = readdirSync(FOLDER).sort()
/** Those that were added by a later migration. */
const LATER: Readonly<Record<string, string>> = {
  inbox: '0002',
  push_subscriptions: '0003',
  notification_settings: '0003',
  key_check: '0007',
}

let folder: TemporaryFolder
let path: string
let db: Store | null
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'errand.db')
  db = null
})
afterEach(async () => {
  await db?.destroy()
  await folder.remove()
})

function restore(name: string, change = ''): void {
  withSqlite(path, (sqlite) => sqlite.exec(readFileSync(join(FOLDER, name), 'utf8') + change))
}

/** Name and text of every table, index and view. */
function schemaOf(file: string): unknown[] {
  return withSqlite(file, (sqlite) => sqlite.prepare('select type, name, sql from sqlite_master order by type, name').all())
}

describe.each(RELEASED)('a database that was written with %s as its last migration', (name) => {
  it('has rows in every table that there was, and gets the tables of a new one', async () => {
    restore(name)
    const empty = withSqlite(path, (sqlite) => {
      const tables = sqlite.prepare<[], string>("select name from sqlite_master where type = 'table'").pluck().all()
      expect(tables.length).toBeGreaterThan(12)
      for (const [table, since] of Object.entries(LATER)) expect([table, tables.includes(table)]).toEqual([table, name >= since])
      return tables.filter((table) => sqlite.prepare(`select 1 from ${table}`).get() === undefined)
    })
    expect(empty).toEqual([])
    db = await openDatabase(path)
    const fresh = join(folder.path, 'fresh', 'errand.db')
    await (await openDatabase(fresh)).destroy()
    expect(schemaOf(path)).toEqual(schemaOf(fresh))
  })

  it('is read by today’s code: tasks, their history, and what belongs to their user', async () => {
    restore(name)
    const store = await openDatabase(path)
    db = store
    const rows = await listTasks(store, 'usr_ada', { limit: 30 }, null)
    const tasks = (await summariesOf(store, rows)).map((task) => Task.parse(task))
    expect(tasks.map(({ prompt, status, reason }) => [prompt, status, reason])).toEqual([
      ['Document its use', 'pending', 'no_runner'],
      ['Never mind', 'cancelled', 'cancelled_by_user'],
      ['Look around', 'running', null],
      ['Fix the failing test', 'pending', 'no_runner'],
      ['Add a French greeting', 'completed', 'done'],
    ])
    expect(tasks.map(({ queuePosition }) => queuePosition)).toEqual([1, null, null, 0, null])
    expect(tasks[4]?.usage).toMatchObject({ inputTokens: 120, costUsd: 0.25 })

    const first = rows[4]?.id ?? ''
    const events = (await listEvents(store, first, 0, 1_000)).map((event) => ReceivedEvent.parse(event))
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: rows[4]?.last_seq ?? 0 }, (_, i) => i + 1))
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['task.created', 'tool.ended', 'task.ended']))
    expect((await listMessages(store, first)).map(({ text, state, turn }) => [text, state, turn])).toEqual([
      ['Add a French greeting', 'delivered', 1],
    ])
    const third = (await listMessages(store, rows[2]?.id ?? '')).map(({ text, mode }) => [text, mode])
    expect(third).toEqual([['Look around', null], ...(name >= '0002' ? [['Keep it short.', 'steer']] : [])])
    expect(await newestArtifact(store, first, 'transcript')).toBe(1)

    const secrets = createSecrets(Buffer.alloc(32, 7))
    expect(await findCredential(store, secrets, 'usr_ada', 'git.example.com')).toEqual({
      username: 'ada',
      token: 'token_of_the_test',
    })
    const grace = (await findOverview(store, Date.now())).users.find((user) => user.name === 'grace')
    expect(await findGithubToken(store, secrets, grace?.id ?? '')).toBe('ghp_of_the_test')
    expect((await listDevices(store, 'usr_ada', '', '')).map((device) => device.name)).toEqual(['Chrome on Android'])
    expect((await listProjects(store, 'usr_ada')).map((project) => project.name)).toEqual(['Engine'])
    expect(await findOwnBudget(store, 'usr_ada')).toBe(name >= '0004' ? 2.5 : null)
    expect(await listSubscriptions(store, 'usr_ada')).toHaveLength(name >= '0003' ? 1 : 0)
    expect((await findNotifications(store, 'usr_ada')).onFailed).toBe(name < '0003')
  })
})

describe('migration 0009', () => {
  it('gives waiting tasks the reason of their own back', async () => {
    const storedAs = (prompt: string, reason: string) => `update tasks set reason = '${reason}' where prompt = '${prompt}';`
    const reasons = async (change: string) => {
      restore('0007-key-check.sql', change)
      const store = await openDatabase(path)
      const rows = await store.selectFrom('tasks').select(['prompt', 'reason']).where('status', '=', 'pending').execute()
      await store.destroy()
      await folder.remove()
      folder = await temporaryFolder()
      path = join(folder.path, 'errand.db')
      return Object.fromEntries(rows.map(({ prompt, reason }) => [prompt, reason]))
    }
    const tried = 'Fix the failing test'
    const fresh = 'Document its use'
    const table = [
      ['no_runner', 'retrying', 'queued'],
      ['runner_unwell', 'retrying', 'queued'],
      // An attempt may have ended for the same reason: that one stays.
      ['image_missing', 'image_missing', 'queued'],
      ['runner_lost', 'runner_lost', 'runner_lost'],
    ] as const
    for (const [stored, ofTried, ofFresh] of table)
      expect(await reasons(storedAs(tried, stored) + storedAs(fresh, stored))).toEqual({ [tried]: ofTried, [fresh]: ofFresh })
  })
})
