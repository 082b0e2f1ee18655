import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { ArtifactKind } from '../../../contract/wire/sandbox.ts'
import { clean } from '../../../coordinator/storage/housekeeping.ts'
import { markDeleted } from '../../../coordinator/store/deleted-tasks.ts'
import { giveSpaceBack, readSize } from '../../../coordinator/store/sqlite/vacuum.ts'
import { findTask } from '../../../coordinator/store/tasks.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

const DAY_MS = 24 * 60 * 60_000
const MB = 1024 * 1024

let core: Core
let ada: User
beforeEach(async () => {
  core = await startCore({ environment: { ERRAND_KEEP_TASKS_DAYS: '400' } })
  ada = await core.addUser('ada')
})
afterEach(() => core.stop())

/** One pass, so many days from now. */
function cleanIn(days: number) {
  const { db, ledger, artifacts, disk, config } = core
  const log = pino({ level: 'silent' })
  return clean({ db, ledger, artifacts, disk, limits: config.storage, log, now: () => Date.now() + days * DAY_MS })
}

async function taskWith(...kinds: ArtifactKind[]) {
  const { id } = await core.create(ada)
  const lease = await core.lease(id)
  for (const kind of kinds) await core.artifacts.save(id, 1, kind, Readable.from(['x']))
  return { id, end: () => core.runner.deliver(lease, 1, attemptEnded()) }
}

const stored = async () => (await readdir(join(core.config.dataDir, 'artifacts'))).sort()

describe('what is kept for a time', () => {
  it('ends with it: outputs first, then bundles, then the task; what runs keeps everything', async () => {
    const { id, end } = await taskWith('output.a', 'bundle', 'transcript')
    await end()
    const running = await taskWith('output.a', 'bundle')
    const ofRunning = [`${running.id}-1.bundle`, `${running.id}-1.output.a`]
    await cleanIn(29)
    expect(await stored()).toHaveLength(5)
    await cleanIn(31)
    expect(await stored()).toEqual([`${id}-1.bundle`, `${id}-1.transcript`, ...ofRunning].sort())
    await cleanIn(181)
    expect(await stored()).toEqual([`${id}-1.transcript`, ...ofRunning].sort())
    expect((await core.tasks.find(ada.id, id)).status).toBe('completed')
    await cleanIn(401)
    expect(await stored()).toEqual(ofRunning.sort())
    expect(core.deleted).toEqual([id])
    expect(await findTask(core.db, id)).toBeUndefined()
    expect((await core.tasks.find(ada.id, running.id)).status).toBe('running')
  })

  it('is said in the answer to whoever looks for an output', async () => {
    const { id, end } = await taskWith('output.a')
    await end()
    const missing = (callId: string) => core.tasks.output(ada.id, id, callId)
    await expect(missing('never')).rejects.toThrow('The full output was not kept; this is all there is.')
    await cleanIn(31)
    await core.db
      .updateTable('tasks')
      .set({ created_at: Date.now() - 31 * DAY_MS })
      .where('id', '=', id)
      .execute()
    await expect(missing('a')).rejects.toThrow('Full outputs are kept for 30 days; this is all there is.')
  })
})

describe('what a killed process left', () => {
  it('is removed: files without a row, and the rest of a task whose removal had begun', async () => {
    const { id, end } = await taskWith('output.a')
    await end()
    const row = await findTask(core.db, id)
    if (!row) throw new Error('no row')
    // It dies after the commit: the files are still there, and so are the events.
    await markDeleted(core.db, row, Date.now())
    expect(await stored()).toEqual([`${id}-1.output.a`])
    await writeFile(join(core.config.dataDir, 'artifacts', `${id}-2.transcript`), 'half')
    await cleanIn(0)
    expect(await stored()).toEqual([])
    expect(await core.db.selectFrom('events').select('seq').where('task_id', '=', id).execute()).toEqual([])
  })
})

describe('free space in the database', () => {
  it('goes back to the disk when it is much and nothing runs, and not on a disk without room for that', async () => {
    const { db } = core
    const { id, end } = await taskWith()
    const large = JSON.stringify({ text: 'x'.repeat(MB) })
    const at = { task_id: id, attempt: 1, n: null, type: 'text.written', at: 1, data: large }
    for (let seq = 1000; seq < 1080; seq++)
      await db
        .insertInto('events')
        .values({ ...at, seq })
        .execute()
    await db.deleteFrom('events').where('seq', '>=', 1000).execute()
    expect((await readSize(db)).freeBytes).toBeGreaterThan(64 * MB)
    // The task still runs.
    expect(await giveSpaceBack(db, 1000 * MB)).toBeNull()
    await end()
    expect(await giveSpaceBack(db, 1)).toBeNull()
    const given = await giveSpaceBack(db, 1000 * MB)
    expect(given?.before).toBeGreaterThan(64 * MB)
    expect(given?.after).toBeLessThan(2 * MB)
    expect((await core.tasks.find(ada.id, id)).status).toBe('completed')
    // It is not worth it again.
    expect(await giveSpaceBack(db, 1000 * MB)).toBeNull()
  })
})
