import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { Overview } from '../../../contract/api/overview.ts'
import { startDailyBackups } from '../../../coordinator/backup/daily-backups.ts'
import { readConfig } from '../../../coordinator/process/config.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'
import { spawnErrand } from '../../support/systems/command-line.ts'
import { startCoordinator } from '../../support/systems/coordinator.ts'

const closers = closeAfterEach()
const folder = folderForEach()
const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 0, 1, 3)

/** One that goes by the test's clock, and what it logs. */
async function startAt(made: (path: string) => Promise<void>, start = START) {
  const backups = join(folder.path, 'backups')
  await mkdir(backups, { recursive: true })
  const clock = { now: start, looks: 0 }
  const lines: string[] = []
  const daily = startDailyBackups({
    config: readConfig({ ERRAND_BACKUP_DIR: backups, ERRAND_BACKUP_KEEP: '2' }),
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    make: made,
    now: () => {
      clock.looks += 1
      return clock.now
    },
    lookEveryMs: 5,
  })
  closers.push(daily.stop)
  const events = (event: string) => lines.filter((line) => JSON.parse(line).event === event).length
  /** Lets it look several times. */
  const pass = async (ms: number) => {
    clock.now += ms
    const seen = clock.looks
    await waitFor('some looks', () => clock.looks > seen + 8, 10_000, 5)
  }
  return { daily, backups, events, pass, names: async () => (await readdir(backups)).sort() }
}

describe('automatic backups', () => {
  it('are made one a day, whatever restarts, and the newest are kept, besides what others put there', async () => {
    const { daily, backups, events, pass, names } = await startAt((path) => writeFile(path, 'a backup'))
    await writeFile(join(backups, 'errand-2020.backup'), 'mine')
    await waitFor('the first', () => events('backup.made') === 1)
    await pass(23 * HOUR_MS)
    expect(await names()).toEqual(['errand-2020.backup', 'errand-2026-01-01T03-00-00Z.backup'])
    for (let day = 0; day < 3; day++) await pass(24 * HOUR_MS)
    const newest = ['errand-2026-01-04T02-00-00Z.backup', 'errand-2026-01-05T02-00-00Z.backup']
    expect(await names()).toEqual(['errand-2020.backup', ...newest])
    expect(await daily.look()).toEqual({ lastAt: '2026-01-05T02:00:00.000Z', fault: null })
    await daily.stop()
    const again = await startAt((path) => writeFile(path, 'a backup'), START + 4 * 24 * HOUR_MS)
    await again.pass(0)
    expect(again.events('backup.made')).toBe(0)
  })

  it('that fail are told to admins in words, and tried again an hour later', async () => {
    let tries = 0
    const { daily, events, pass } = await startAt(async (path) => {
      tries += 1
      if (tries < 3) throw new Error('The disk of /b is full.')
      await writeFile(path, 'a backup')
    })
    await waitFor('the first try', () => tries === 1)
    await pass(HOUR_MS / 2)
    expect([tries, await daily.look()]).toEqual([1, { lastAt: null, fault: 'The disk of /b is full.' }])
    await pass(HOUR_MS)
    expect([tries, events('backup.failed')]).toEqual([2, 2])
    await pass(HOUR_MS)
    expect([tries, (await daily.look())?.fault]).toEqual([3, null])
  })

  it('say what to do about a folder that is not there, and make none without one', async () => {
    const { daily, backups, pass } = await startAt((path) => writeFile(path, 'a backup'))
    await waitFor('the first', async () => (await daily.look())?.lastAt !== null)
    await rename(backups, `${backups}-away`)
    await pass(25 * HOUR_MS)
    expect((await daily.look())?.fault).toMatch(/backups \(ERRAND_BACKUP_DIR\) cannot be used \(ENOENT\)\. Make it.*mkdir -m 700/)
    await rm(`${backups}-away`, { recursive: true })
    const none = startDailyBackups({ config: readConfig({}), log: pino({ level: 'silent' }), lookEveryMs: 1 })
    expect(await none.look()).toBeUndefined()
    await none.stop()
  })

  it('of a real server are whole, encrypted with its key, and shown to its admins', async () => {
    const backups = join(folder.path, 'backups')
    await mkdir(backups)
    const key = 'a key that nobody guesses'
    const server = await startCoordinator({ environment: { ERRAND_BACKUP_DIR: backups, ERRAND_BACKUP_KEY: key } })
    closers.push(server.stop)
    const overview = () => server.ask<Overview>('/api/admin/overview')
    expect((await overview()).backups).toEqual({ lastAt: null, fault: null })
    const task = await server.send({ repoUrl: server.demoRepoUrl, prompt: 'kept' })
    const daily = startDailyBackups({ config: server.config, log: pino({ level: 'silent' }), lookEveryMs: 20 })
    closers.push(daily.stop)
    await waitFor('a backup', async () => (await daily.look())?.lastAt ?? (await daily.look())?.fault)
    expect((await daily.look())?.fault).toBeNull()
    expect((await overview()).backups?.lastAt).not.toBeNull()
    const [name = ''] = await readdir(backups)
    expect((await stat(join(backups, name))).mode & 0o777).toBe(0o600)
    const restored = join(folder.path, 'restored')
    const ran = await spawnErrand(['restore', join(backups, name), '--to', restored], { env: { ERRAND_BACKUP_KEY: key } }).ended
    expect(ran).toMatchObject({ exit: 0, err: '' })
    const again = await startCoordinator({ dataDir: restored })
    closers.push(again.stop)
    expect(await again.task(task.id)).toMatchObject({ prompt: 'kept', status: 'failed', reason: 'restored' })
  })
})
