import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { folderForEach } from '../../support/systems/closing.ts'
import { UNDO, withSqlite } from '../../support/systems/database.ts'

const folder = folderForEach()
let path: string
beforeEach(() => {
  path = join(folder.path, 'errand.db')
})

/** @returns the rows of a query, straight from the file */
function rows(query: string): unknown[] {
  return withSqlite(path, (sqlite) => sqlite.prepare(query).all())
}

describe('a database from before storage was bounded', () => {
  it('keeps one conversation and one patch of the branch of each task, the newest, and everything else', async () => {
    await (await openDatabase(path)).destroy()
    const sqlite = new SQLite(path)
    sqlite.pragma('foreign_keys = off')
    sqlite.exec(`${UNDO.storage} ${UNDO.proofs} delete from kysely_migration where name >= '0012-storage';`)
    const insert = sqlite.prepare('insert into artifacts (task_id, attempt, kind, bytes, created_at) values (?, ?, ?, 1, 1)')
    for (const [task, attempt, ...kinds] of [
      ['s', 4, 'transcript'],
      ['t', 1, 'transcript', 'patch', 'turn-patch', 'bundle', 'output.a'],
      ['t', 3, 'transcript', 'patch', 'turn-patch'],
      ['t', 5, 'turn-patch'],
    ] as const)
      for (const kind of kinds) insert.run(task, attempt, kind)
    sqlite.exec(`
      insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, turn, attempt, last_seq, created_at)
        values ('t', 'u', 'r', 'b', 'p', 'm', 1, 0, 'failed', 1, 5, 2, 1), ('s', 'u', 'r', 'b', 'p', 'm', 1, 0, 'failed', 1, 4, 0, 1);
      insert into events (task_id, seq, attempt, type, at, data) values ('t', 1, 1, 'x', 1, '"ä"'), ('t', 2, 1, 'x', 1, '12345');`)
    sqlite.close()
    await (await openDatabase(path)).destroy()
    const left = rows("select task_id || attempt || ' ' || kind as name from artifacts order by 1")
    expect(left.map((row) => (row as { name: string }).name)).toEqual([
      's4 transcript',
      ...['bundle', 'output.a', 'turn-patch'].map((kind) => `t1 ${kind}`),
      ...['patch', 'transcript', 'turn-patch'].map((kind) => `t3 ${kind}`),
      't5 turn-patch',
    ])
    expect(rows('select id, event_bytes from tasks order by id')).toEqual([
      { id: 's', event_bytes: 0 },
      { id: 't', event_bytes: 9 },
    ])
  })
})

describe('a database from before steps_exceeded', () => {
  it('gets the new name wherever a reason is stored, and keeps what a person or an agent wrote', async () => {
    await (await openDatabase(path)).destroy()
    const sqlite = new SQLite(path)
    sqlite.pragma('foreign_keys = off')
    const ended = (type: string, data: object, seq: number) =>
      sqlite
        .prepare("insert into events (task_id, seq, attempt, type, at, data) values ('t', ?, 1, ?, 1, ?)")
        .run(seq, type, JSON.stringify(data))
    sqlite.exec(`
      ${UNDO.storage}
      ${UNDO.waiting}
      ${UNDO.proofs}
      delete from kysely_migration where name >= '0008-steps-exceeded';
      insert into tasks (id, user_id, repo_url, branch, prompt, model, budget_usd, demo, status, reason, turn, attempt, last_seq, created_at)
        values ('t', 'u', 'r', 'b', 'p', 'm', 1, 0, 'failed', 'turns_exceeded', 1, 1, 5, 1), ('s', 'u', 'r', 'b', 'p', 'm', 1, 0, 'failed', 'stuck', 1, 1, 0, 1);
      insert into attempts (task_id, attempt, turn, runner_id, runner_name, last_n, lease_until, started_at, ended_at, outcome, reason)
        values ('t', 1, 1, 'r', 'r', 4, 1, 1, 1, 'failed', 'turns_exceeded');`)
    ended('text.written', { text: 'reason: turns_exceeded', reason: 'turns_exceeded' }, 1)
    ended(
      'turn.ended',
      { turn: 1, outcome: 'failed', reason: 'turns_exceeded', summary: 'turns_exceeded', message: null, diff: null },
      2,
    )
    ended('attempt.ended', { outcome: 'failed', reason: 'turns_exceeded', message: 'turns_exceeded' }, 3)
    ended('task.ended', { turn: 1, status: 'failed', reason: 'turns_exceeded', message: null, branch: 'b' }, 4)
    ended('task.ended', { turn: 1, status: 'failed', reason: 'stuck', message: null, branch: null }, 5)
    sqlite.close()
    await (await openDatabase(path)).destroy()
    expect(rows('select id, reason from tasks order by id')).toEqual([
      { id: 's', reason: 'stuck' },
      { id: 't', reason: 'steps_exceeded' },
    ])
    expect(rows('select reason from attempts')).toEqual([{ reason: 'steps_exceeded' }])
    const data = rows('select data from events order by seq').map((row) => JSON.parse((row as { data: string }).data))
    expect(data).toEqual([
      { text: 'reason: turns_exceeded', reason: 'turns_exceeded' },
      { turn: 1, outcome: 'failed', reason: 'steps_exceeded', summary: 'turns_exceeded', message: null, diff: null },
      { outcome: 'failed', reason: 'steps_exceeded', message: 'turns_exceeded' },
      { turn: 1, status: 'failed', reason: 'steps_exceeded', message: null, branch: 'b' },
      { turn: 1, status: 'failed', reason: 'stuck', message: null, branch: null },
    ])
  })
})
