import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { Redis } from 'ioredis'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { errand } from '../../support/systems/command-line.ts'
import { withSqlite } from '../../support/systems/database.ts'
import { examine, HOME, startOutside, startPatient, type TestPatient } from '../../support/systems/patient.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { freePort, listen, temporaryFolder } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()
const folder = folderForEach()

let patient: TestPatient
beforeAll(async () => {
  patient = await startPatient()
})
afterAll(() => patient.stop())

describe('errand doctor', () => {
  it('finds nothing on a healthy server, in lines that people read', async () => {
    await patient.hear()
    expect((await examine(patient.well)).filter(({ state }) => state !== 'ok')).toEqual([])
    const { exit, out } = await errand(['doctor'], { env: patient.well, home: HOME })
    expect(exit).toBe(0)
    expect(out).toMatch(/^ok {4}settings/)
    expect(out).toMatch(/^ok {4}redis +version \d+\.\d+.*noeviction/m)
    expect(out).toMatch(/^ok {4}runners +1 connected, with 2 slots, version /m)
    expect(out).not.toContain('sk-good')
  })

  it('finds wrong settings, and names each', async () => {
    const checks = await examine({ ...patient.well, ERRAND_PORT: 'http', ERRAND_MODEL: 'gpt' })
    expect(checks[0]).toMatchObject({ name: 'settings', state: 'fail', cure: expect.stringContaining('.env') })
    expect(checks[0]?.found).toMatch(/ERRAND_PORT[\s\S]*ERRAND_MODEL|ERRAND_MODEL[\s\S]*ERRAND_PORT/)
  })
})

describe('errand doctor finds around the server', () => {
  it('a Redis that is down, that evicts, that is full', async () => {
    const down = await patient.diagnose('redis', { REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    expect(down).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('does not answer'),
      cure: expect.stringContaining('REDIS_URL'),
    })
    const evicts = await patient.diagnose('redis', { REDIS_URL: await runRedis(['maxmemory-policy', 'allkeys-lru']) })
    expect(evicts).toMatchObject({
      found: expect.stringContaining('allkeys-lru'),
      cure: expect.stringContaining('config set maxmemory-policy noeviction'),
    })
    const full = await patient.diagnose('redis', { REDIS_URL: await runRedis(['maxmemory', 1]) })
    expect(full).toMatchObject({
      found: expect.stringContaining('takes no writes'),
      cure: expect.stringContaining('Give it more memory'),
    })
  })

  it('an engine that is stopped, and an image that is missing', async () => {
    const stopped = await patient.diagnose('engine', { DOCKER_HOST: `unix://${folder.path}/none.sock` }, ['image'])
    expect(stopped).toMatchObject({ state: 'fail', cure: expect.stringContaining('sudo systemctl start docker') })
    const image = await patient.diagnose('image', { RUNNER_IMAGE: 'errand-none.invalid/x:1' })
    expect(image).toMatchObject({ state: 'fail', cure: expect.stringContaining('docker pull errand-none.invalid/x:1') })
  })

  it('a clock that is an hour off', async () => {
    const skewed = await startOutside(3_600_000)
    closers.push(skewed.close)
    const other = await patient.diagnose('clock', { ERRAND_GIT_HOSTS: skewed.url })
    expect(other).toMatchObject({ state: 'warn', found: expect.stringMatching(/the clock of 127\.0\.0\.1:\d+ is 360\d s fast/) })
    const own = await patient.diagnose('clock', { ERRAND_GIT_HOSTS: skewed.url, ANTHROPIC_BASE_URL: skewed.url })
    expect(own).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('this machine is'),
      cure: expect.stringContaining('timedatectl set-ntp true'),
    })
  })

  it('a name without an address, a git host that is away, a key that the model API refuses', async () => {
    const dns = await patient.diagnose('dns', { ERRAND_GIT_HOSTS: 'https://no-such-host.invalid' }, ['git hosts'])
    expect(dns).toMatchObject({ found: 'no address for no-such-host.invalid', cure: expect.stringContaining('/etc/resolv.conf') })
    const away = await patient.diagnose('git hosts', { ERRAND_GIT_HOSTS: `http://127.0.0.1:${await freePort()}` })
    expect(away).toMatchObject({
      found: expect.stringContaining('cannot be reached'),
      cure: expect.stringContaining('ERRAND_GIT_HOSTS'),
    })
    const key = await patient.diagnose('model', { ANTHROPIC_API_KEY: 'sk-bad' })
    expect(key).toMatchObject({
      found: 'the model API refused the key (401)',
      cure: expect.stringContaining('ANTHROPIC_API_KEY'),
    })
    const model = await patient.diagnose('model', { ANTHROPIC_BASE_URL: `http://127.0.0.1:${await freePort()}` })
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
      const tls = await listen(createServer(await certificate(dates), (_request, response) => response.end('{"status":"ok"}')))
      closers.push(tls.close)
      const line = await patient.diagnose('tls', { ERRAND_PUBLIC_URL: tls.url.replace('http:', 'https:') }, ['public url'])
      expect(line.found).toMatch(found)
      expect(line.cure).toMatch(cure)
    }
    expect(await patient.diagnose('tls', { ERRAND_HOST: '0.0.0.0' })).toMatchObject({
      state: 'warn',
      cure: expect.stringContaining('ERRAND_PUBLIC_URL=https://'),
    })
  })

  it('a public address that leads elsewhere, a server that is down, a program in its place', async () => {
    const other = await patient.diagnose('public url', { ERRAND_PUBLIC_URL: patient.outside.url })
    expect(other).toMatchObject({
      found: expect.stringContaining('something else than Errand'),
      cure: expect.stringContaining('/socket.io'),
    })
    const down = await patient.diagnose('server', { ERRAND_PORT: String(await freePort()) }, ['public url', 'runners'])
    expect(down).toMatchObject({ state: 'fail', cure: expect.stringContaining('npm start') })
    const taken = await patient.diagnose('server', { ERRAND_PORT: new URL(patient.outside.url).port }, ['public url', 'runners'])
    expect(taken).toMatchObject({
      found: expect.stringContaining('something else than Errand'),
      cure: expect.stringContaining('ERRAND_PORT'),
    })
  })

  it('a runner that is too old, one that is ill, and none', async () => {
    await patient.hear({ contract: 0 })
    expect(await patient.diagnose('runners', {})).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('is older than the server'),
      cure: expect.stringContaining('git pull'),
    })
    await patient.hear({ unwell: { reason: 'engine_unavailable', message: 'no socket' } })
    expect(await patient.diagnose('runners', {})).toMatchObject({
      found: expect.stringContaining('no socket'),
      cure: expect.stringContaining('docker info'),
    })
    withSqlite(join(patient.dataDir, 'errand.db'), (db) => db.exec('update runners set seen_at = 0'))
    expect(await patient.diagnose('runners', {})).toMatchObject({
      found: expect.stringContaining('no runner is connected'),
      cure: expect.stringContaining('npm run runner'),
    })
  })
})

async function runRedis(args: readonly (string | number)[]): Promise<string> {
  const own = await startRedis()
  closers.push(own.stop)
  const client = new Redis(own.url)
  await client.call('config', 'set', ...args)
  client.disconnect()
  return own.url
}

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
