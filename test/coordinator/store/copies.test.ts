import { readFileSync } from 'node:fs'
import { readdir, rename, rm, statfs, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { attemptsSince, holdRestored } from '../../../coordinator/attempts/hold-restored.ts'
import { findCopyMark, listUnderWay } from '../../../coordinator/store/copy-mark.ts'
import { createLedger } from '../../../coordinator/store/ledger.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { listUntold } from '../../../coordinator/store/tasks.ts'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { contentsOf, smallDisk } from '../../support/systems/temporary.ts'

const OLD = join(import.meta.dirname, 'databases', '0007-key-check.sql')
const folder = folderForEach()
let path: string
beforeEach(() => {
  path = join(folder.path, 'errand.db')
})

function makeOld(change = '') {
  withSqlite(path, (sqlite) => sqlite.exec(readFileSync(OLD, 'utf8') + change))
}

function rowsOf(file: string): unknown[] {
  return withSqlite(file, (sqlite) => sqlite.prepare('select * from tasks order by id').all())
}

async function names(): Promise<string[]> {
  return (await readdir(folder.path)).sort()
}

describe('the database of an earlier version', () => {
  it('is copied before it is migrated, once, for this user alone; a new one and one of this version are not', async () => {
    makeOld()
    const before = rowsOf(path)
    await (await openDatabase(path)).destroy()
    expect(await names()).toEqual(['errand.db', 'errand.db.at-0007-key-check', 'errand.db.lock'])
    expect(rowsOf(`${path}.at-0007-key-check`)).toEqual(before)
    expect(rowsOf(path)).not.toEqual(before)
    const kept = await contentsOf(folder.path)
    expect(kept['errand.db.at-0007-key-check']).toMatch(/^600 /)
    await (await openDatabase(path)).destroy()
    expect((await contentsOf(folder.path))['errand.db.at-0007-key-check']).toBe(kept['errand.db.at-0007-key-check'])
    await rm(path)
    await rm(`${path}.at-0007-key-check`)
    await (await openDatabase(path)).destroy()
    expect(await names()).toEqual(['errand.db', 'errand.db.lock'])
  })

  it('keeps the three newest copies, and makes one anew that a killed start left half', async () => {
    makeOld()
    for (const [age, name] of ['0004-d', '0003-c', '0002-b', '0001-a'].entries()) {
      await writeFile(`${path}.at-${name}`, 'an older copy')
      await utimes(`${path}.at-${name}`, 1_000 - age, 1_000 - age)
    }
    await writeFile(`${path}.at-0007-key-check.part`, 'half of a copy')
    await (await openDatabase(path)).destroy()
    const ends = ['at-0003-c', 'at-0004-d', 'at-0007-key-check', 'lock']
    expect(await names()).toEqual(['errand.db', ...ends.map((end) => `errand.db.${end}`)])
  })

  it('names its copy to the version before, which refuses the migrated one', async () => {
    makeOld()
    await (await openDatabase(path)).destroy()
    withSqlite(path, (sqlite) => sqlite.exec("insert into kysely_migration values ('9999-later', '2030')"))
    const refusal = await openDatabase(path).then(() => 'opened', String)
    expect(refusal).toMatch(
      /newer version of Errand \(9999-later\)\. Start that version, or go back to what was before the update: move /,
    )
    expect(refusal).toContain(`rename ${path}.at-0007-key-check to ${path}, and start again`)
    await rm(`${path}.at-0007-key-check`)
    expect(await openDatabase(path).then(() => 'opened', String)).toMatch(
      /Start that version, or restore the backup from before the update/,
    )
  })

  it('put back from its copy holds what was under way, and tells no end twice', async () => {
    makeOld(
      "update tasks set status = 'pending', completed_at = null where id in (select id from tasks limit 1); update tasks set told_turn = 0;",
    )
    await (await openDatabase(path)).destroy()
    await rename(`${path}.at-0007-key-check`, path)
    const db = await openDatabase(path)
    const ledger = createLedger(db)
    const waiting = await listUnderWay(db)
    const untold = (await listUntold(db)).length
    expect(waiting.length).toBeGreaterThan(0)
    expect(untold).toBeGreaterThan(0)
    const log = pino({ level: 'silent' })
    await holdRestored({ ledger, log })
    expect(await listUnderWay(db)).toEqual([])
    // These users do not know yet that theirs were held.
    expect((await listUntold(db)).map(({ id }) => id).sort()).toEqual(waiting.map(({ id }) => id).sort())
    expect(await findCopyMark(db)).toBeNull()
    const after = rowsOf(path)
    await holdRestored({ ledger, log })
    expect(rowsOf(path)).toEqual(after)
    await db.destroy()
  })
})

describe('on a disk without room for a copy', () => {
  const closers = closeAfterEach()
  let disk: string
  beforeEach(async () => {
    const small = await smallDisk(4)
    closers.push(small.remove)
    disk = small.path
    path = join(disk, 'errand.db')
  })

  it('an earlier database is not touched, and the start says how much room is missing', async () => {
    makeOld()
    const { bavail, bsize } = await statfs(disk)
    await writeFile(join(disk, 'filler'), Buffer.alloc(bavail * bsize - 100_000))
    const before = rowsOf(path)
    const refusal = await openDatabase(path).then(() => 'opened', String)
    expect(refusal).toMatch(
      /must be copied before this version of Errand changes its tables.* needs 1 MB, and the disk of .* has 1 MB free\. Free some space/,
    )
    expect(rowsOf(path)).toEqual(before)
    expect((await readdir(disk)).sort()).toEqual(['errand.db', 'errand.db.lock', 'filler'])
    await rm(join(disk, 'filler'))
    await (await openDatabase(path)).destroy()
  })
})

describe('the attempt numbers that a restored task leaves out', () => {
  it('are more than were given since the backup, also by an earlier restore of the same one', () => {
    const backup = Date.UTC(2026, 0, 1)
    const [first, second] = [backup + 3_600_000, backup + 7_200_000]
    expect(attemptsSince(backup, first)).toBeGreaterThan(3_600)
    // The first restored server gave one number a second until the second restore.
    expect(attemptsSince(backup, second)).toBeGreaterThanOrEqual(attemptsSince(backup, first) + 3_600)
    expect(attemptsSince(backup, backup - 3_600_000)).toBeGreaterThan(0)
  })
})
