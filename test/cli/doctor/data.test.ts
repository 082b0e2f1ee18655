import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { backupNameOf, startPatient, type TestPatient } from '../../support/systems/patient.ts'
import { smallDisk } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()
const folder = folderForEach()

let patient: TestPatient
beforeAll(async () => {
  patient = await startPatient()
})
afterAll(() => patient.stop())

/** A copy of the data, to be spoiled. */
async function copied(): Promise<{ ERRAND_DATA_DIR: string; path: string }> {
  const path = join(folder.path, 'data')
  await cp(patient.dataDir, path, { recursive: true })
  return { ERRAND_DATA_DIR: path, path }
}

describe('errand doctor finds in the data', () => {
  it('a folder that others may read, a restore that did not end, and a disk that is full', async () => {
    const { path, ...env } = await copied()
    await chmod(path, 0o755)
    expect(await patient.diagnose('data folder', env)).toMatchObject({ state: 'warn', cure: `Close it: chmod 700 '${path}'` })
    await chmod(path, 0o700)
    await mkdir(join(path, 'restore.part'))
    expect(await patient.diagnose('data folder', env)).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('restore the backup again'),
    })
    const { path: disk, remove } = await smallDisk(20)
    closers.push(remove)
    await cp(patient.dataDir, disk, { recursive: true })
    await writeFile(join(disk, 'filler'), Buffer.alloc(16_000_000))
    const full = await patient.diagnose('disk', { ERRAND_DATA_DIR: disk })
    expect(full).toMatchObject({ state: 'fail', found: expect.stringMatching(/less than the floor .* no new work begins/) })
    expect(full.cure).toContain('Free some space')
  })

  it('a damaged database, and one of a newer version', async () => {
    const { path, ...env } = await copied()
    const file = join(path, 'errand.db')
    withSqlite(file, (db) =>
      db.exec("pragma wal_checkpoint(truncate); insert into kysely_migration values ('9999-later', '2030')"),
    )
    const newer = await patient.diagnose('database', env)
    expect(newer).toMatchObject({
      found: expect.stringContaining('newer version of Errand (9999-later)'),
      cure: expect.stringMatching(/^Start that version, or/),
    })
    withSqlite(file, (db) => {
      db.exec("delete from kysely_migration where name = '9999-later'; drop index tasks_of_user")
      db.unsafeMode(true)
      db.exec(
        "pragma writable_schema = on; update sqlite_master set sql = 'create index broken on tasks (id)' where name = 'tasks_released'",
      )
    })
    const damaged = await patient.diagnose('database', env)
    expect(damaged.cure).toMatch(/restore the newest backup|Restore it from a backup/)
  })

  it('another secret key, a token that cannot be read, and broken push keys', async () => {
    const { path, ...env } = await copied()
    await writeFile(join(path, 'secret-key'), 'ab'.repeat(32))
    expect(await patient.diagnose('secret key', env)).toMatchObject({
      found: expect.stringContaining('does not hold the key'),
      cure: expect.stringContaining('Restore the file from a backup'),
    })
    const byVariable = await patient.diagnose('secret key', { ERRAND_SECRET_KEY: 'cd'.repeat(32) })
    expect(byVariable.cure).toContain('Set that key again')
    await cp(join(patient.dataDir, 'secret-key'), join(path, 'secret-key'))
    await rm(join(path, 'runner-token'))
    await mkdir(join(path, 'runner-token'))
    expect(await patient.diagnose('tokens', env)).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('runner-token cannot be read (EISDIR)'),
      cure: expect.stringContaining('makes a new one'),
    })
    await rm(join(path, 'runner-token'), { recursive: true })
    await writeFile(join(path, 'runner-token'), 'a token', { mode: 0o644 })
    expect(await patient.diagnose('tokens', env)).toMatchObject({ state: 'warn', cure: expect.stringContaining('chmod 600') })
    await chmod(join(path, 'runner-token'), 0o600)
    await writeFile(join(path, 'vapid-keys.json'), '{"publicKey":"x"}')
    expect(await patient.diagnose('push keys', env)).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('Restore it from a backup'),
    })
  })

  it('no automatic backups, a folder that is not there, and backups that are old', async () => {
    expect(await patient.diagnose('backups', { ERRAND_BACKUP_DIR: '' })).toMatchObject({
      state: 'warn',
      cure: expect.stringContaining('Set ERRAND_BACKUP_DIR'),
    })
    expect(await patient.diagnose('backups', { ERRAND_BACKUP_DIR: join(folder.path, 'nowhere') })).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('mkdir'),
    })
    await writeFile(join(folder.path, backupNameOf(Date.now() - 72 * 3_600_000)), '')
    const old = await patient.diagnose('backups', { ERRAND_BACKUP_DIR: folder.path })
    expect(old).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('72 hours old'),
      cure: expect.stringContaining('errand backup FILE'),
    })
  })
})
