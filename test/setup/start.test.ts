import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { claim } from '../../setup/claims.ts'
import { alive, commandLine, readServerFile, type ServerFile } from '../../setup/running.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { waitFor } from '../support/wait.ts'

/** The sandbox image may have to be built on the way. */
const START_MS = 5 * 60_000
const root = join(import.meta.dirname, '../..')

const folder = await temporaryFolder()
const dataDir = join(folder.path, 'data')

type Run = { child: ChildProcess; said: () => string }
let run: Run

const npmStart = (ownDataDir = dataDir): Run => {
  const environment = { ...process.env, ERRAND_DATA_DIR: ownDataDir, ERRAND_PORT: '0', REDIS_URL: '', ANTHROPIC_API_KEY: '' }
  const child = spawn(process.execPath, ['setup/start.mjs'], { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
  return { child, said: () => said }
}

const serverFile = () => readServerFile(dataDir)
const started = async (which: Run, after?: number): Promise<ServerFile> => {
  await waitFor('the banner', () => which.said().includes('Sign in') || exitedWith(which), START_MS)
  return waitFor('server.json', async () => {
    const file = await serverFile()
    return file && file.pids.start === which.child.pid && file.pids.start !== after ? file : null
  })
}
/** A start that ended will never say more: better a failure with its words than a deadline. */
const exitedWith = ({ child, said }: Run): false => {
  if (child.exitCode === null) return false
  throw new Error(`npm start ended with ${child.exitCode}: ${said()}`)
}
const isReady = (url: string) => fetch(`${url}/readyz`).then((answer) => answer.ok)
const stop = async ({ child }: Run): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  return (await exited)[0]
}

beforeAll(async () => {
  run = npmStart()
  await started(run)
}, START_MS + 10_000)

afterAll(async () => {
  await stop(run)
  await folder.remove()
}, 60_000)

describe('npm start', () => {
  it('says with which model it works, and gives a link that signs in once', async () => {
    expect(run.said()).toMatch(/the built-in demo model, not Claude/)
    const link = new URL(/https?:\/\/\S+\/auth\/\S+/.exec(run.said())?.[0] ?? '')
    const use = () =>
      fetch(new URL(link.pathname, link), {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: link.origin },
        body: new URLSearchParams({ code: link.searchParams.get('code') ?? '' }),
      })
    expect((await use()).headers.get('set-cookie')).toMatch(/HttpOnly/)
    expect((await use()).headers.get('set-cookie')).toBeNull()
  })

  it.each(['coordinator', 'redis', 'runner'])('brings a killed %s back, and says its new pid', async (name) => {
    const before = await serverFile()
    const pid = before?.pids[name] ?? 0
    process.kill(pid, 'SIGKILL')
    await waitFor('another pid', async () => {
      const now = (await serverFile())?.pids[name]
      return now && now !== pid
    })
    await waitFor('the server to be ready again', () => isReady(before?.url ?? ''), 30_000)
  })

  it('started twice, tells where it runs and gives another link', async () => {
    const second = npmStart()
    const [code] = await once(second.child, 'exit')
    expect(code).toBe(0)
    expect(second.said()).toMatch(/already runs at .*\/auth\//s)
  })

  it('started while another start prepares the same data folder, begins nothing', async () => {
    const preparing = join(folder.path, 'preparing')
    const first = claim(join(preparing, 'starts'))
    const second = npmStart(preparing)
    try {
      expect(await waitFor('its end', () => second.child.exitCode)).toBe(1)
    } finally {
      await stop(second)
    }
    expect(second.said()).toContain(`npm start (pid ${process.pid})`)
    expect(first.others()).toEqual([])
    expect(await readdir(preparing)).toEqual(['starts'])
  })

  it('ends what a killed start left behind, and takes its place', async () => {
    const old = await started(run)
    run.child.kill('SIGKILL')
    run = npmStart()
    const file = await started(run, old.pids.start)
    expect(run.said()).toMatch(/left behind: .*coordinator/)
    expect(alive(old)).toEqual([])
    expect(await isReady(file.url)).toBe(true)
  }, 90_000)

  it('stops all that it started when it is asked to, and leaves no server.json', async () => {
    const { pids } = (await serverFile()) as ServerFile
    expect(Object.keys(pids).sort()).toEqual(['coordinator', 'redis', 'runner', 'start'])
    expect(await stop(run)).toBe(0)
    expect(Object.values(pids).map(commandLine)).toEqual(['', '', '', ''])
    expect(await serverFile()).toBeNull()
  }, 60_000)
})
