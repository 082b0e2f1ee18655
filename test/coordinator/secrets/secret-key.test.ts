import { randomBytes } from 'node:crypto'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { readConfig } from '../../../coordinator/process/config.ts'
import { approveKey, loadSecrets } from '../../../coordinator/secrets/secret-key.ts'
import { putCredential } from '../../../coordinator/store/accounts/credentials.ts'
import { upsertOwner } from '../../../coordinator/store/accounts/users.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { folderForEach } from '../../support/systems/closing.ts'
import { startCoordinator } from '../../support/systems/coordinator.ts'
import { UNDO, withSqlite } from '../../support/systems/database.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { contentsOf } from '../../support/systems/temporary.ts'

const folder = folderForEach()
let dataDir: string
beforeEach(() => {
  dataDir = join(folder.path, 'data')
})

function keyFile() {
  return join(dataDir, 'secret-key')
}

/** The store and its key, as a start opens them. */
async function open(secretKey = '') {
  const config = readConfig({ ERRAND_DATA_DIR: dataDir, ERRAND_SECRET_KEY: secretKey })
  const db = await openDatabase(config.databasePath, (found) => approveKey(found, config))
  const secrets = await loadSecrets(db, config)
  const storeToken = async () => {
    const owner = await upsertOwner(db)
    await putCredential(db, secrets, owner.id, { host: 'github.com', token: 'a-token' })
  }
  return { close: () => db.destroy(), storeToken }
}
async function openAndClose(secretKey?: string) {
  return (await open(secretKey)).close()
}
async function makeFolder(secretKey?: string) {
  const opened = await open(secretKey)
  await opened.storeToken()
  await opened.close()
}

function inDatabase(sql: string) {
  withSqlite(join(dataDir, 'errand.db'), (sqlite) => sqlite.exec(sql))
}
/** As an older version left it, which kept no check. */
function forgetCheck() {
  return inDatabase(`drop table key_check; ${Object.values(UNDO).join(' ')}
    delete from kysely_migration where name >= '0007-key-check'`)
}

async function expectRefusal(sentence: RegExp, start: () => Promise<unknown> = openAndClose) {
  const before = await contentsOf(dataDir)
  await expect(start()).rejects.toThrow(sentence)
  expect(await contentsOf(dataDir)).toEqual(before)
}

describe('a data folder whose secrets were sealed with another key', () => {
  it('keeps the server from starting: the missing file is named, and nothing is changed', async () => {
    const redis = await startRedis()
    await (await startCoordinator({ redisUrl: redis.url, dataDir })).stop()
    const kept = await readFile(keyFile())
    await rm(keyFile())
    await expectRefusal(/data\/secret-key is missing.*Restore the file from a backup/, () =>
      startCoordinator({ redisUrl: redis.url, dataDir }),
    )
    await writeFile(keyFile(), kept, { mode: 0o600 })
    await (await startCoordinator({ redisUrl: redis.url, dataDir })).stop()
    await redis.stop()
  })

  it('is refused with any other key, and opens with its own, wherever that is kept', async () => {
    await makeFolder()
    const kept = await readFile(keyFile(), 'utf8')
    await expectRefusal(
      /ERRAND_SECRET_KEY is not the key that sealed.*remove the variable if the key is in .*data\/secret-key/,
      () => openAndClose(randomBytes(32).toString('hex')),
    )
    await writeFile(keyFile(), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
    await expectRefusal(/data\/secret-key does not hold the key that sealed the git tokens in .*errand\.db\. Restore the file/)
    await rm(keyFile())
    await openAndClose(kept.trim())
  })

  it('is known in a database of an older version by what its users had sealed', async () => {
    await openAndClose()
    const first = await readFile(keyFile(), 'utf8')
    forgetCheck()
    await rm(keyFile())
    // Nothing was sealed with it.
    await makeFolder()
    forgetCheck()
    const second = await readFile(keyFile(), 'utf8')
    await rm(keyFile())
    await expectRefusal(/secret-key is missing/)
    await writeFile(keyFile(), first, { mode: 0o600 })
    await expectRefusal(/secret-key does not hold the key/)
    await writeFile(keyFile(), second, { mode: 0o600 })
    await openAndClose()
    await rm(keyFile())
    await expectRefusal(/secret-key is missing/)
  })

  it('opens when the tokens were forgotten as the refusal says', async () => {
    await makeFolder(randomBytes(32).toString('hex'))
    const said = await openAndClose().then(String, String)
    const [, sql = ''] = /sqlite3 '.*' "(.*)"$/.exec(said) ?? []
    inDatabase(sql)
    await openAndClose()
  })

  it('is a copy of the database alone, made while the server ran', async () => {
    const opened = await open()
    await opened.storeToken()
    const running = dataDir
    dataDir = join(folder.path, 'copy')
    for (const name of ['errand.db', 'errand.db-wal']) await cp(join(running, name), join(dataDir, name), { recursive: true })
    const before = await contentsOf(dataDir)
    await expect(openAndClose()).rejects.toThrow(/copy\/secret-key is missing/)
    // SQLite makes its index of the -wal file anew.
    const { 'errand.db-shm': _index, ...after } = await contentsOf(dataDir)
    expect(after).toEqual(before)
    await opened.close()
  })
})
