import { cp, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import SQLite from 'better-sqlite3'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { folderForEach } from '../../support/systems/closing.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { contentsOf } from '../../support/systems/temporary.ts'

const folder = folderForEach()
let path: string
beforeEach(async () => {
  path = join(folder.path, 'data', 'errand.db')
  await mkdir(dirname(path), { mode: 0o755 })
})

/** The driver's errors are of the realm of the first test file in this process: Jest does not know them as errors. */
function refusal() {
  return openDatabase(path).then((db) => db.destroy().then(() => 'opened'), String)
}

async function make() {
  return (await openDatabase(path)).destroy()
}
function change(sql: string) {
  withSqlite(path, (sqlite) => sqlite.exec(sql))
}

describe('a database that cannot be used', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a file of no bytes', () => writeFile(path, ''), /is empty: a file of 0 bytes\. Restore it from a backup/],
    ['one without a table', () => change('pragma journal_mode = wal'), /is empty: it has no tables\. Restore it from a backup/],
    ['a text', () => writeFile(path, 'not a database at all '.repeat(400)), /is not a database.* Restore it from a backup/],
    ['another program’s', () => change('create table users (id text)'), /belongs to another program.*DATABASE_URL=file:/],
    [
      'another program’s with the same library',
      () => change("create table kysely_migration (name text); insert into kysely_migration values ('001-theirs')"),
      /belongs to another program/,
    ],
    [
      'one that was cut',
      async () => {
        await make()
        await truncate(path, 40_000)
      },
      /is broken\. Restore it from a backup/,
    ],
    [
      'one of a newer version',
      async () => {
        await make()
        change("insert into kysely_migration values ('9999-later', '2030')")
      },
      /newer version of Errand \(9999-later\)\. Start that version, or restore the backup/,
    ],
    ['a folder', () => mkdir(path), /is not a file\..*DATABASE_URL/],
    [
      'a part of one',
      async () => {
        await writeFile(`${path}-wal`, 'what was stored last')
      },
      /is missing, but .*-wal, a part of it, is there\. Restore it/,
    ],
    [
      'one below a file',
      async () => {
        await rm(dirname(path), { recursive: true })
        await writeFile(dirname(path), 'a file')
      },
      /cannot be there: its path leads through something that is not a folder.*ERRAND_DATA_DIR/,
    ],
  ])('%s is refused with a sentence, and left as it was', async (_what, spoil, sentence) => {
    await spoil()
    const before = await contentsOf(folder.path)
    for (let start = 0; start < 2; start++) {
      const said = await refusal()
      expect(said).toMatch(sentence)
      expect(said).toContain(path)
      expect(await contentsOf(folder.path)).toEqual(before)
    }
  })

  it('is left as it was with what a killed server had written last', async () => {
    const db = await openDatabase(path)
    await db.insertInto('runners').values({ id: 'r', name: 'r', slots: 1, seen_at: 1 }).execute()
    const killed = join(folder.path, 'killed')
    await cp(dirname(path), killed, { recursive: true })
    await db.destroy()
    path = join(killed, 'errand.db')
    const before = await contentsOf(killed)
    expect(Object.keys(before)).toContain('errand.db-wal')
    const refuse = async () => {
      throw new Error('not with this key')
    }
    await expect(openDatabase(path, refuse)).rejects.toThrow('not with this key')
    const after = await contentsOf(killed)
    for (const name of ['errand.db', 'errand.db-wal']) expect(after[name]).toBe(before[name])
    const again = await openDatabase(path)
    expect(await again.selectFrom('runners').select('id').execute()).toEqual([{ id: 'r' }])
    await again.destroy()
  })

  it('is in use by another program', async () => {
    await make()
    const other = new SQLite(path)
    other.exec('pragma locking_mode = exclusive; begin exclusive')
    expect(await refusal()).toMatch(/errand\.db is in use by another program\. Close that program/)
    other.close()
    expect(await refusal()).toBe('opened')
  }, 20_000)
})

describe('a new database', () => {
  it('is there whole or not at all: what a start left that was cut off is made anew', async () => {
    await writeFile(`${path}.new`, 'half of a database')
    await writeFile(`${path}.new-wal`, 'half of a database')
    expect(await refusal()).toBe('opened')
    expect((await readdir(dirname(path))).sort()).toEqual(['errand.db', 'errand.db.lock'])
  })
})
