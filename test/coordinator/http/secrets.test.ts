import { randomBytes } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ensureOwner, loadRunnerToken } from '../../../coordinator/accounts/owner.ts'
import { loadSecretKey } from '../../../coordinator/secrets/secret-key.ts'
import { createSecrets } from '../../../coordinator/secrets/secrets.ts'
import { findCredential, putCredential } from '../../../coordinator/store/accounts/credentials.ts'
import { revokeDevice } from '../../../coordinator/store/accounts/devices.ts'
import { findByToken, listTokens } from '../../../coordinator/store/accounts/tokens.ts'
import { findGithubToken, upsertGithubUser } from '../../../coordinator/store/accounts/users.ts'
import type { Store } from '../../../coordinator/store/sqlite/database.ts'
import { openTestDatabase, type TestDatabase } from '../../support/systems/database.ts'

const secrets = createSecrets(randomBytes(32))
async function modeOf(path: string) {
  return ((await stat(path)).mode & 0o777).toString(8)
}

describe('a sealed text', () => {
  it('opens with its own context alone', () => {
    const sealed = secrets.seal('ghp_CANARY', 'credential|u1|github.com')
    expect(sealed).not.toContain('CANARY')
    expect(secrets.open(sealed, 'credential|u1|github.com')).toBe('ghp_CANARY')
    expect(() => secrets.open(sealed, 'credential|u2|github.com')).toThrow(/changed or moved/)
  })

  it('is different every time', () => {
    expect(secrets.seal('same', 'c')).not.toBe(secrets.seal('same', 'c'))
  })

  it('does not open when any character of it was changed, or its tag was cut', () => {
    const sealed = secrets.seal('a token', 'c')
    for (let at = 0; at < sealed.length; at++) {
      // The last character of base64url may hold bits that no byte uses: those four change nothing.
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'Q' : 'A') + sealed.slice(at + 1)
      const same = bytesOf(changed) === bytesOf(sealed)
      if (!same) expect(() => secrets.open(changed, 'c')).toThrow(/cannot be read/)
    }
    const [version, keyId, iv, text, tag = ''] = sealed.split('.')
    const short = Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url')
    expect(() => secrets.open([version, keyId, iv, text, short].join('.'), 'c')).toThrow(/cut/)
  })

  it('says so when it was sealed with another key', () => {
    const other = createSecrets(randomBytes(32))
    expect(() => other.open(secrets.seal('a token', 'c'), 'c')).toThrow(/another ERRAND_SECRET_KEY/)
  })

  it('derives another key for every purpose, and the same one again', () => {
    expect(secrets.deriveKey('a')).toEqual(secrets.deriveKey('a'))
    expect(secrets.deriveKey('a')).not.toEqual(secrets.deriveKey('b'))
    expect(secrets.deriveKey('a')).toHaveLength(32)
  })
})

function bytesOf(sealed: string) {
  return sealed
    .split('.')
    .map((part, index) => (index < 2 ? part : Buffer.from(part, 'base64url').toString('hex')))
    .join('.')
}

describe('what is kept at rest', () => {
  let database: TestDatabase
  let db: Store
  beforeAll(async () => {
    database = await openTestDatabase()
    db = database.db
  })
  afterAll(() => database.close())

  it('the secret key is made once, for its owner alone, by however many starts at once', async () => {
    const config = { secretKey: null, dataDir: join(database.dataDir, 'keys') }
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadSecretKey(config)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(await modeOf(join(config.dataDir, 'secret-key'))).toBe('600')
    await writeFile(join(config.dataDir, 'secret-key'), 'spoiled')
    await expect(loadSecretKey(config)).rejects.toThrow(/64 hex digits/)
  })

  it("the owner's token stays the same over starts, and a revoked one does not come back", async () => {
    const config = { dataDir: join(database.dataDir, 'owner') }
    const first = await ensureOwner(db, config)
    expect(first.user).toMatchObject({ name: 'owner', admin: true })
    expect(first.token).toMatch(/^errand_[0-9A-Za-z]{43}$/)
    expect(await ensureOwner(db, config)).toEqual(first)
    expect(await modeOf(join(config.dataDir, 'owner-token'))).toBe('600')
    const [token] = await listTokens(db, first.user.id)
    expect(await revokeDevice(db, first.user.id, token?.id ?? '')).toBe(true)
    const second = await ensureOwner(db, config)
    expect(second.user).toEqual(first.user)
    expect(second.token).not.toBe(first.token)
    expect(await findByToken(db, first.token)).toBeNull()
    expect(await findByToken(db, second.token)).toEqual({ user: first.user, deviceId: second.tokenId })
  })

  it("the runners' token is the configured one, or one that is kept", async () => {
    expect(await loadRunnerToken({ runnerToken: 'a-configured-token', runnerTokenFile: null, dataDir: database.dataDir })).toBe(
      'a-configured-token',
    )
    const made = await loadRunnerToken({ runnerToken: null, runnerTokenFile: null, dataDir: database.dataDir })
    expect(await loadRunnerToken({ runnerToken: null, runnerTokenFile: null, dataDir: database.dataDir })).toBe(made)
    expect(await modeOf(join(database.dataDir, 'runner-token'))).toBe('600')
  })

  it('no token stands in the database, and one copied into another row does not open there', async () => {
    const [mona, hub] = await Promise.all(
      ['mona', 'hub'].map((login, index) =>
        upsertGithubUser(db, secrets, {
          githubId: String(index),
          login,
          avatarUrl: null,
          admin: false,
          token: `gho_CANARY_${login}`,
        }),
      ),
    )
    if (!mona || !hub) throw new Error('two users were made')
    await putCredential(db, secrets, mona.id, { host: 'git.example.org', username: 'mona', token: 'glpat-CANARY' })
    expect(JSON.stringify(await db.selectFrom('users').selectAll().execute())).not.toContain('CANARY')
    expect(JSON.stringify(await db.selectFrom('credentials').selectAll().execute())).not.toContain('CANARY')
    expect(await findGithubToken(db, secrets, mona.id)).toBe('gho_CANARY_mona')
    expect(await findCredential(db, secrets, mona.id, 'git.example.org')).toEqual({ username: 'mona', token: 'glpat-CANARY' })

    const sealed = db.selectFrom('users').select('github_token').where('id', '=', mona.id)
    await db.updateTable('users').set({ github_token: sealed }).where('id', '=', hub.id).execute()
    await expect(findGithubToken(db, secrets, hub.id)).rejects.toThrow(/changed or moved/)
    await db.updateTable('credentials').set({ user_id: hub.id }).where('user_id', '=', mona.id).execute()
    await expect(findCredential(db, secrets, hub.id, 'git.example.org')).rejects.toThrow(/changed or moved/)
  })
})
