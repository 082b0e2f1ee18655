import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { Redis } from 'ioredis'
import { CONTRACT_VERSION } from '../../contract/wire/lease.ts'
import { RUNNER_PATHS } from '../../contract/wire/names.ts'
import { closeAfterEach, folderForEach } from '../support/systems/closing.ts'
import { errand } from '../support/systems/command-line.ts'
import { startCoordinator, type TestCoordinator } from '../support/systems/coordinator.ts'
import { withSqlite } from '../support/systems/database.ts'
import { startRedis, type TestRedis } from '../support/systems/redis.ts'
import { freePort, listen, temporaryFolder } from '../support/systems/temporary.ts'

type Line = { name: string; state: string; found: string; cure?: string }
type Env = Record<string, string>

const closers = closeAfterEach()
const folder = folderForEach()
const home = join(import.meta.dirname, '../..')

let redis: TestRedis
let server: TestCoordinator
let dataDir: string
let well: Env
let outside: Awaited<ReturnType<typeof startOutside>>
let rest: (() => unknown)[] = []

beforeAll(async () => {
  const place = await temporaryFolder()
  redis = await startRedis()
  outside = await startOutside()
  dataDir = join(place.path, 'data')
  server = await startCoordinator({ redisUrl: redis.url, dataDir })
  await server.ask('/api/me/credentials', { host: 'github.com', token: 'ghp_secret' }, { method: 'PUT' })
  await seen({ slots: 2, contract: CONTRACT_VERSION })
  const backups = join(place.path, 'backups')
  await mkdir(backups)
  await writeFile(join(backups, nameOf(Date.now() - 3_600_000)), '')
  well = {
    ERRAND_DATA_DIR: dataDir,
    ERRAND_PORT: new URL(server.url).port,
    ERRAND_BACKUP_DIR: backups,
    REDIS_URL: redis.url,
    ANTHROPIC_API_KEY: 'sk-good',
    ANTHROPIC_BASE_URL: outside.url,
    ERRAND_GIT_HOSTS: outside.url,
    RUNNER_IMAGE: process.env.RUNNER_IMAGE ?? 'errand-worker:latest',
    ...(process.env.DOCKER_HOST && { DOCKER_HOST: process.env.DOCKER_HOST }),
  }
  rest = [server.stop, outside.close, redis.stop, place.remove]
})
afterAll(async () => {
  for (const close of rest) await close()
})

/** The outside world: a model API that knows one key, and a git host. `skewMs`: how far its clock is off. */
async function startOutside(skewMs = 0) {
  const http = createServer((request, response) => {
    const known = !request.url?.startsWith('/v1/') || request.headers['x-api-key'] === 'sk-good'
    response.sendDate = false
    response.writeHead(known ? 200 : 401, { date: new Date(Date.now() + skewMs).toUTCString() }).end('{}')
  })
  return listen(http)
}

/** A runner that is heard from. */
async function seen(runner: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${server.runnerToken}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ runner: { id: 'runner-a', name: 'runner-a', ...runner }, attempts: [] })
  expect((await fetch(server.url + RUNNER_PATHS.renew, { method: 'POST', headers, body })).status).toBe(200)
}

function nameOf(time: number): string {
  return `errand-${new Date(time).toISOString().slice(0, 19).replaceAll(':', '-')}Z.backup`
}

async function examine(env: Env) {
  const { exit, out, err } = await errand(['doctor', '--json'], { env, home })
  expect(err).toBe('')
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Line[] }
  expect(exit).toBe(ok ? 0 : 1)
  expect(ok).toBe(checks.every(({ state }) => state !== 'fail'))
  for (const { state, cure } of checks) expect(state === 'ok').toBe(cure === undefined)
  return checks
}

/** What it says of one fault, and of nothing else. */
async function diagnose(name: string, env: Env, also: readonly string[] = []): Promise<Line> {
  const checks = await examine({ ...well, ...env })
  expect(checks.filter(({ state }) => state !== 'ok').map((line) => line.name)).toEqual(expect.arrayContaining([name]))
  expect(checks.filter(({ state, ...line }) => state !== 'ok' && line.name !== name && !also.includes(line.name))).toEqual([])
  const line = checks.find((one) => one.name === name)
  if (!line) throw new Error(`no check named ${name}`)
  return line
}

/** A copy of the data, to be spoiled. */
async function copied(): Promise<{ ERRAND_DATA_DIR: string; path: string }> {
  const path = join(folder.path, 'data')
  await cp(dataDir, path, { recursive: true })
  return { ERRAND_DATA_DIR: path, path }
}

async function runRedis(args: readonly (string | number)[]): Promise<string> {
  const own = await startRedis()
  closers.push(own.stop)
  const client = new Redis(own.url)
  await client.call('config', 'set', ...args)
  client.disconnect()
  return own.url
}

describe('errand doctor', () => {
  it('finds nothing on a healthy server, in lines that people read', async () => {
    await seen({ slots: 2, contract: CONTRACT_VERSION })
    expect((await examine(well)).filter(({ state }) => state !== 'ok')).toEqual([])
    const { exit, out } = await errand(['doctor'], { env: well, home })
    expect(exit).toBe(0)
    expect(out).toMatch(/^ok {4}settings/)
    expect(out).toMatch(/^ok {4}redis +version \d+\.\d+.*noeviction/m)
    expect(out).toMatch(/^ok {4}runners +1 connected, with 2 slots, version /m)
    expect(out).not.toContain('sk-good')
  })

  it('finds wrong settings, and names each', async () => {
    const checks = await examine({ ...well, ERRAND_PORT: 'http', ERRAND_MODEL: 'gpt' })
    expect(checks[0]).toMatchObject({ name: 'settings', state: 'fail', cure: expect.stringContaining('.env') })
    expect(checks[0]?.found).toMatch(/ERRAND_PORT[\s\S]*ERRAND_MODEL|ERRAND_MODEL[\s\S]*ERRAND_PORT/)
  })
})

describe('errand doctor finds in the data', () => {
  it('a folder that others may read, a restore that did not end, and a disk that is full', async () => {
    const { path, ...env } = await copied()
    await chmod(path, 0o755)
    expect(await diagnose('data folder', env)).toMatchObject({ state: 'warn', cure: `Close it: chmod 700 '${path}'` })
    await chmod(path, 0o700)
    await mkdir(join(path, 'restore.part'))
    expect(await diagnose('data folder', env)).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('restore the backup again'),
    })
    const disk = join(folder.path, 'disk')
    await mkdir(disk)
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=700', 'none', disk])
    closers.push(() => execa('umount', [disk]))
    await cp(dataDir, disk, { recursive: true })
    await writeFile(join(disk, 'filler'), Buffer.alloc(16_000_000))
    const full = await diagnose('disk', { ERRAND_DATA_DIR: disk })
    expect(full).toMatchObject({ state: 'fail', found: expect.stringMatching(/less than the floor .* no new work begins/) })
    expect(full.cure).toContain('Free some space')
  })

  it('a damaged database, and one of a newer version', async () => {
    const { path, ...env } = await copied()
    const file = join(path, 'errand.db')
    withSqlite(file, (db) =>
      db.exec("pragma wal_checkpoint(truncate); insert into kysely_migration values ('9999-later', '2030')"),
    )
    const newer = await diagnose('database', env)
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
    const damaged = await diagnose('database', env)
    expect(damaged.cure).toMatch(/restore the newest backup|Restore it from a backup/)
  })

  it('another secret key, a token that cannot be read, and broken push keys', async () => {
    const { path, ...env } = await copied()
    await writeFile(join(path, 'secret-key'), 'ab'.repeat(32))
    expect(await diagnose('secret key', env)).toMatchObject({
      found: expect.stringContaining('does not hold the key'),
      cure: expect.stringContaining('Restore the file from a backup'),
    })
    const byVariable = await diagnose('secret key', { ERRAND_SECRET_KEY: 'cd'.repeat(32) })
    expect(byVariable.cure).toContain('Set that key again')
    await cp(join(dataDir, 'secret-key'), join(path, 'secret-key'))
    await rm(join(path, 'runner-token'))
    await mkdir(join(path, 'runner-token'))
    expect(await diagnose('tokens', env)).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('runner-token cannot be read (EISDIR)'),
      cure: expect.stringContaining('makes a new one'),
    })
    await rm(join(path, 'runner-token'), { recursive: true })
    await writeFile(join(path, 'runner-token'), 'a token', { mode: 0o644 })
    expect(await diagnose('tokens', env)).toMatchObject({ state: 'warn', cure: expect.stringContaining('chmod 600') })
    await chmod(join(path, 'runner-token'), 0o600)
    await writeFile(join(path, 'vapid-keys.json'), '{"publicKey":"x"}')
    expect(await diagnose('push keys', env)).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('Restore it from a backup'),
    })
  })

  it('no automatic backups, a folder that is not there, and backups that are old', async () => {
    expect(await diagnose('backups', { ERRAND_BACKUP_DIR: '' })).toMatchObject({
      state: 'warn',
      cure: expect.stringContaining('Set ERRAND_BACKUP_DIR'),
    })
    expect(await diagnose('backups', { ERRAND_BACKUP_DIR: join(folder.path, 'nowhere') })).toMatchObject({
      state: 'fail',
      cure: expect.stringContaining('mkdir'),
    })
    await writeFile(join(folder.path, nameOf(Date.now() - 72 * 3_600_000)), '')
    const old = await diagnose('backups', { ERRAND_BACKUP_DIR: folder.path })
    expect(old).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('72 hours old'),
      cure: expect.stringContaining('errand backup FILE'),
    })
  })
})

describe('errand doctor finds around the server', () => {
  it('a Redis that is down, that evicts, that is full', async () => {
    const down = await diagnose('redis', { REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    expect(down).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('does not answer'),
      cure: expect.stringContaining('REDIS_URL'),
    })
    const evicts = await diagnose('redis', { REDIS_URL: await runRedis(['maxmemory-policy', 'allkeys-lru']) })
    expect(evicts).toMatchObject({
      found: expect.stringContaining('allkeys-lru'),
      cure: expect.stringContaining('config set maxmemory-policy noeviction'),
    })
    const full = await diagnose('redis', { REDIS_URL: await runRedis(['maxmemory', 1]) })
    expect(full).toMatchObject({
      found: expect.stringContaining('takes no writes'),
      cure: expect.stringContaining('Give it more memory'),
    })
  })

  it('an engine that is stopped, and an image that is missing', async () => {
    const stopped = await diagnose('engine', { DOCKER_HOST: `unix://${folder.path}/none.sock` }, ['image'])
    expect(stopped).toMatchObject({ state: 'fail', cure: expect.stringContaining('sudo systemctl start docker') })
    const image = await diagnose('image', { RUNNER_IMAGE: 'errand-none.invalid/x:1' })
    expect(image).toMatchObject({ state: 'fail', cure: expect.stringContaining('docker pull errand-none.invalid/x:1') })
  })

  it('a clock that is an hour off', async () => {
    const skewed = await startOutside(3_600_000)
    closers.push(skewed.close)
    const other = await diagnose('clock', { ERRAND_GIT_HOSTS: skewed.url })
    expect(other).toMatchObject({ state: 'warn', found: expect.stringMatching(/the clock of 127\.0\.0\.1:\d+ is 360\d s fast/) })
    const own = await diagnose('clock', { ERRAND_GIT_HOSTS: skewed.url, ANTHROPIC_BASE_URL: skewed.url })
    expect(own).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('this machine is'),
      cure: expect.stringContaining('timedatectl set-ntp true'),
    })
  })

  it('a name without an address, a git host that is away, a key that the model API refuses', async () => {
    const dns = await diagnose('dns', { ERRAND_GIT_HOSTS: 'https://no-such-host.invalid' }, ['git hosts'])
    expect(dns).toMatchObject({ found: 'no address for no-such-host.invalid', cure: expect.stringContaining('/etc/resolv.conf') })
    const away = await diagnose('git hosts', { ERRAND_GIT_HOSTS: `http://127.0.0.1:${await freePort()}` })
    expect(away).toMatchObject({
      found: expect.stringContaining('cannot be reached'),
      cure: expect.stringContaining('ERRAND_GIT_HOSTS'),
    })
    const key = await diagnose('model', { ANTHROPIC_API_KEY: 'sk-bad' })
    expect(key).toMatchObject({
      found: 'the model API refused the key (401)',
      cure: expect.stringContaining('ANTHROPIC_API_KEY'),
    })
    const model = await diagnose('model', { ANTHROPIC_BASE_URL: `http://127.0.0.1:${await freePort()}` })
    expect(model).toMatchObject({
      found: expect.stringContaining('cannot be reached'),
      cure: expect.stringContaining('ANTHROPIC_BASE_URL'),
    })
  })

  it('a certificate that expired, one that nobody trusts, and no TLS on an open address', async () => {
    for (const [dates, found, cure] of [
      [['20200101000000Z', '20200201000000Z'], /expired on 2020-02-01/, /Renew the certificate/],
      [
        ['20200101000000Z', '21000101000000Z'],
        /do not trust the certificate.*SELF_SIGNED|do not trust the certificate/,
        /public authority/,
      ],
    ] as const) {
      const tls = await listen(createTlsServer(await certificate(dates), (_request, response) => response.end('{"status":"ok"}')))
      closers.push(tls.close)
      const line = await diagnose('tls', { ERRAND_PUBLIC_URL: tls.url.replace('http:', 'https:') }, ['public url'])
      expect(line.found).toMatch(found)
      expect(line.cure).toMatch(cure)
    }
    expect(await diagnose('tls', { ERRAND_HOST: '0.0.0.0' })).toMatchObject({
      state: 'warn',
      cure: expect.stringContaining('ERRAND_PUBLIC_URL=https://'),
    })
  })

  it('a public address that leads elsewhere, a server that is down, a program in its place', async () => {
    const other = await diagnose('public url', { ERRAND_PUBLIC_URL: outside.url })
    expect(other).toMatchObject({
      found: expect.stringContaining('something else than Errand'),
      cure: expect.stringContaining('/socket.io'),
    })
    const down = await diagnose('server', { ERRAND_PORT: String(await freePort()) }, ['public url', 'runners'])
    expect(down).toMatchObject({ state: 'fail', cure: expect.stringContaining('npm start') })
    const taken = await diagnose('server', { ERRAND_PORT: new URL(outside.url).port }, ['public url', 'runners'])
    expect(taken).toMatchObject({
      found: expect.stringContaining('something else than Errand'),
      cure: expect.stringContaining('ERRAND_PORT'),
    })
  })

  it('a runner that is too old, one that is ill, and none', async () => {
    await seen({ slots: 2, contract: 0 })
    expect(await diagnose('runners', {})).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('is older than the server'),
      cure: expect.stringContaining('git pull'),
    })
    await seen({ slots: 2, contract: CONTRACT_VERSION, unwell: { reason: 'engine_unavailable', message: 'no socket' } })
    expect(await diagnose('runners', {})).toMatchObject({
      found: expect.stringContaining('no socket'),
      cure: expect.stringContaining('docker info'),
    })
    withSqlite(join(dataDir, 'errand.db'), (db) => db.exec('update runners set seen_at = 0'))
    expect(await diagnose('runners', {})).toMatchObject({
      found: expect.stringContaining('no runner is connected'),
      cure: expect.stringContaining('npm run runner'),
    })
  })
})

/** A self-signed certificate for these dates. */
async function certificate([from, until]: readonly [string, string]): Promise<{ key: Buffer; cert: Buffer }> {
  const { path, remove } = await temporaryFolder()
  closers.push(remove)
  const settings =
    '[ca]\ndefault_ca = d\n[d]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n'
  for (const [name, text] of Object.entries({ 'ca.cnf': settings, index: '', serial: '01\n' }))
    await writeFile(join(path, name), text)
  const openssl = (...args: string[]) => execa('openssl', args, { cwd: path })
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key', '-out', 'request', '-subj', '/CN=127.0.0.1')
  await openssl(
    'ca',
    '-batch',
    '-selfsign',
    '-notext',
    '-config',
    'ca.cnf',
    '-keyfile',
    'key',
    '-in',
    'request',
    '-out',
    'cert',
    '-startdate',
    from,
    '-enddate',
    until,
  )
  const read = async (name: string) => Buffer.from((await execa('cat', [join(path, name)])).stdout)
  return { key: await read('key'), cert: await read('cert') }
}
