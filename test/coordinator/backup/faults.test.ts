import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { spawnErrand } from '../../support/systems/command-line.ts'
import { spawnCoordinator } from '../../support/systems/coordinator.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { contentsOf } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()
const folder = folderForEach()

function errand(args: string[], dataDir: string, env: Record<string, string> = {}) {
  return spawnErrand(args, { cwd: folder.path, env: { ERRAND_DATA_DIR: dataDir, ...env } }).ended
}

describe('a backup that cannot be restored', () => {
  it('leaves the folder as it was, and says why', async () => {
    const redis = await startRedis()
    closers.push(redis.stop)
    const dataDir = join(folder.path, 'data')
    await (await spawnCoordinator({ redisUrl: redis.url, dataDir })).stop()
    const file = join(folder.path, 'a.backup')
    expect(await errand(['backup', file], dataDir)).toMatchObject({ exit: 0 })
    const into = join(folder.path, 'into')
    await mkdir(into)
    const refused = async (path: string) => {
      const { exit, err } = await errand(['restore', path, '--to', into], dataDir)
      expect(exit).toBe(2)
      expect(await readdir(into)).toEqual([])
      return err
    }
    const bytes = await readFile(file)
    const spoiled = join(folder.path, 'spoiled')
    await writeFile(spoiled, bytes)
    await truncate(spoiled, bytes.length - 40)
    expect(await refused(spoiled)).toMatch(/^errand: The backup is damaged/)
    const flipped = Buffer.from(bytes)
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 0xff
    await writeFile(spoiled, flipped)
    expect(await refused(spoiled)).toMatch(/^errand: The backup is damaged/)
    await writeFile(spoiled, 'something else')
    expect(await refused(spoiled)).toMatch(/is not a backup of Errand/)
    await writeFile(spoiled, '')
    expect(await refused(spoiled)).toMatch(/is not a backup of Errand|is damaged/)
    expect(await refused(join(folder.path, 'nowhere'))).toMatch(/cannot be read \(ENOENT\)/)

    // One of a newer version.
    withSqlite(join(dataDir, 'errand.db'), (db) => db.exec("insert into kysely_migration values ('9999-later', '2030')"))
    expect(await errand(['backup', file], dataDir)).toMatchObject({ exit: 0 })
    expect(await refused(file)).toMatch(/newer version of Errand \(9999-later\)/)

    // A folder with anything in it, such as the server's own.
    const own = await contentsOf(dataDir)
    const taken = await errand(['restore', file], dataDir)
    expect(taken).toMatchObject({ exit: 2, err: expect.stringMatching(/is not empty: it holds .*Nothing was changed/) })
    expect(await contentsOf(dataDir)).toEqual(own)
  })

  it('is not taken for a whole one when the restore was killed: the server refuses to start on it', async () => {
    const redis = await startRedis()
    closers.push(redis.stop)
    const dataDir = join(folder.path, 'data')
    await mkdir(join(dataDir, 'restore.part'), { recursive: true })
    await expect(spawnCoordinator({ redisUrl: redis.url, dataDir })).rejects.toThrow(/A restore into .* did not end/)
    await writeFile(join(dataDir, 'secret-key'), 'x')
    const again = await errand(['restore', '/dev/null'], dataDir)
    expect(again.err).toMatch(/An earlier restore into .* did not end/)
  })
})

describe('a backup that cannot be made', () => {
  it('says what to do, and leaves nothing', async () => {
    const dataDir = join(folder.path, 'data')
    const file = join(folder.path, 'a.backup')
    expect(await errand(['backup', file], dataDir)).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/no database at .*ERRAND_DATA_DIR/),
    })
    const redis = await startRedis()
    closers.push(redis.stop)
    await (await spawnCoordinator({ redisUrl: redis.url, dataDir })).stop()
    expect(await errand(['backup', '/nowhere/a'], dataDir)).toMatchObject({ exit: 2, err: expect.stringMatching(/mkdir/) })
    expect(await errand(['backup', file], dataDir, { ERRAND_BACKUP_KEY: 'short' })).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/too short/),
    })
    const lost = await errand(['backup', file, '--key-file', 'nowhere'], dataDir)
    expect(lost).toMatchObject({ exit: 2, err: expect.stringMatching(/key file nowhere cannot be read/) })
    await mkdir(join(folder.path, 'kept'))
    await writeFile(join(folder.path, 'kept', 'a'), 'an earlier backup')
    const database = await readFile(join(dataDir, 'errand.db'))
    await writeFile(join(dataDir, 'errand.db'), database.fill(0xab, 8_192, 60_000))
    const broken = await errand(['backup', join('kept', 'a')], dataDir)
    expect(broken).toMatchObject({ exit: 2, err: expect.stringMatching(/broken|damaged/) })
    expect(await readdir(join(folder.path, 'kept'))).toEqual(['a'])
    expect(await readFile(join(folder.path, 'kept', 'a'), 'utf8')).toBe('an earlier backup')
  })
})
