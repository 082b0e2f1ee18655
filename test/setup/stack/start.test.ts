import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { qrCode } from '../../../cli/show/link-notes.ts'
import { claim, holders } from '../../../setup/process/claims.ts'
import { leftOvers } from '../../../setup/process/left-overs.ts'
import { argumentsOf, identityOf, variablesOf } from '../../../setup/process/process-table.ts'
import { readServerFile, type ServerFile, serverFilePath } from '../../../setup/stack/running.ts'
import { killAlive } from '../../support/checks/kill.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { spawnErrand } from '../../support/systems/command-line.ts'
import { expectMended } from '../../support/systems/demo-task.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

/** The sandbox image may have to be built on the way. */
const START_MS = 5 * 60_000
const root = join(import.meta.dirname, '../../..')

const folder = await temporaryFolder()
const dataDir = join(folder.path, 'data')
/** The image of this run by another name. */
const givenImage = `errand-start-test:${process.pid}`

type Run = { child: ChildProcess; said: () => string }
let run: Run

function npmStart({ runnerImage = '', ownDataDir = dataDir, pipe = '', publicUrl = '' } = {}): Run {
  const own = {
    ERRAND_PUBLIC_URL: publicUrl,
    ERRAND_DATA_DIR: ownDataDir,
    ERRAND_PORT: '0',
    REDIS_URL: '',
    ANTHROPIC_API_KEY: '',
    RUNNER_IMAGE: runnerImage,
  }
  const [file, args] = pipe
    ? ['bash', ['-c', `"$0" setup/run.mjs start ${pipe}`, process.execPath]]
    : [process.execPath, ['setup/run.mjs', 'start']]
  const child = spawn(file, args, { cwd: root, env: { ...process.env, ...own }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
  return { child, said: () => said }
}

function serverFile() {
  return readServerFile(dataDir)
}
async function started(which: Run, after?: number): Promise<ServerFile> {
  await waitFor('the banner', () => which.said().includes('Sign in') || exitedWith(which), START_MS)
  return waitFor('server.json', async () => {
    const file = await serverFile()
    return file && file.pids.start === which.child.pid && file.pids.start !== after ? file : null
  })
}
/** A start that ended will never say more: better a failure with its words than a deadline. */
function exitedWith({ child, said }: Run): false {
  if (child.exitCode === null) return false
  throw new Error(`npm start ended with ${child.exitCode}: ${said()}`)
}
function isReady(url: string) {
  return fetch(`${url}/readyz`).then((answer) => answer.ok)
}
async function stop({ child }: Run): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  return (await exited)[0]
}

beforeAll(async () => {
  execFileSync('docker', ['tag', process.env.RUNNER_IMAGE ?? 'errand-worker:latest', givenImage])
  run = npmStart()
  await started(run)
}, START_MS + 10_000)

afterAll(async () => {
  await stop(run)
  execFileSync('docker', ['rmi', givenImage])
  await folder.remove()
})

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

  it('does the demo task of errand demo, which is told each step and the branch with the mended code', async () => {
    const { exit, out, err } = await spawnErrand(['demo'], { env: { ERRAND_DATA_DIR: dataDir } }).ended
    expect([exit, err]).toEqual([0, ''])
    const branch = /^ {2}branch {3}(\S+)$/m.exec(out)?.[1] ?? ''
    const told = [
      '› Fix the failing test.',
      '  DEMO the built-in demo model does the work, not Claude',
      '✓ picked up by ',
      '✓ sandbox ready ',
      '✓ cloned main@',
      '✗ $ npm test ',
      '✓ edit src/',
      '✓ $ npm test ',
      `✓ pushed ${branch}@`,
      '✓ completed DEMO',
      `  branch   ${branch}`,
      '  patch    errand diff ',
      `  checkout git clone -b ${branch} ${join(dataDir, 'demo', 'hello.git')} hello`,
    ]
    // In this order, whatever stands between them.
    expect(out.split('\n').flatMap((line) => told.find((begin) => line.startsWith(begin)) ?? [])).toEqual(told)
    await expectMended(dataDir, branch)
  })

  it('leaves server.json for its owner alone, since it holds the token', async () => {
    expect((await stat(serverFilePath(dataDir))).mode & 0o777).toBe(0o600)
  })

  it('says that its link opens on this machine alone, and what to set for a phone', () => {
    const set = /set .* in \.env, and start the server again:\n +ERRAND_HOST=0\.0\.0\.0\n +ERRAND_PUBLIC_URL=http:\/\/.+:\d+\n/
    expect(run.said()).toMatch(/opens only on the machine that runs the server\./)
    expect(run.said()).toMatch(set)
    expect(run.said()).not.toMatch(/[▀▄█]/)
  })

  it.each(['coordinator', 'redis', 'runner'])('brings a killed %s back, and says its new pid', async (name) => {
    const before = await serverFile()
    const pid = before?.pids[name] ?? Number.NaN
    const victim = identityOf(pid)
    expect(victim).toBeTruthy()
    process.kill(pid, 'SIGKILL')
    await waitFor('another pid', async () => {
      const now = (await serverFile())?.pids[name]
      return now && now !== pid
    })
    expect(identityOf(pid)).not.toBe(victim)
    await waitFor('the server to be ready again', () => isReady(before?.url ?? ''), 30_000)
  })

  it('started twice, tells where it runs and gives another link', async () => {
    const second = npmStart()
    const [code] = await once(second.child, 'exit')
    expect(code).toBe(0)
    expect(second.said()).toMatch(/is already running at .*\/auth\//s)
  })

  it('started while another start prepares the same data folder, begins nothing', async () => {
    const preparing = join(folder.path, 'preparing')
    const first = claim(join(preparing, 'starts'))
    const second = npmStart({ ownDataDir: preparing })
    try {
      expect(await waitFor('its end', () => second.child.exitCode)).toBe(1)
    } finally {
      await stop(second)
    }
    expect(second.said()).toContain(`npm start (pid ${process.pid})`)
    expect(first.others()).toEqual([])
    expect(await readdir(preparing)).toEqual(['starts'])
  })

  it('names an image that RUNNER_IMAGE asks for and that cannot be had, with the command to type', async () => {
    const refused = npmStart({ runnerImage: 'localhost:1/none:1', ownDataDir: join(folder.path, 'refused') })
    expect(await waitFor('its end', () => refused.child.exitCode, 60_000)).toBe(1)
    expect(refused.said()).toMatch(/localhost:1\/none:1 \(RUNNER_IMAGE\).*Run: docker pull localhost:1\/none:1\n/s)
    expect(refused.said()).not.toMatch(/Building the sandbox image/)
  })

  it('ends what a killed start left behind, also one that was killed on its way up, and takes its place', async () => {
    const old = await started(run)
    const before = Object.values(old.pids).map((pid) => [pid, identityOf(pid)] as const)
    await killAlive('npm start', run.child)
    const early = npmStart()
    await waitFor(
      'a coordinator of its own',
      () => leftOvers(dataDir).some(({ part, pid }) => part === 'coordinator' && pid !== old.pids.coordinator),
      60_000,
    )
    await killAlive('npm start on its way up', early.child)
    expect(early.said()).not.toContain('Sign in')
    const left = leftOvers(dataDir)
    expect(left.map(({ part }) => part)).toEqual(['coordinator', 'redis'])
    run = npmStart({ runnerImage: givenImage, publicUrl: 'https://errand.example.org' })
    const file = await started(run, old.pids.start)
    expect(early.said()).toMatch(/left behind: runner, coordinator, redis/)
    expect(run.said()).toMatch(/left behind: coordinator, redis/)
    const kept = [...before, ...left.map(({ pid, identity }) => [pid, identity] as const)]
    expect(kept.filter(([pid, identity]) => identityOf(pid) === identity)).toEqual([])
    expect(await isReady(file.url)).toBe(true)
  })

  it('takes the image that RUNNER_IMAGE names, and builds none', async () => {
    const { pids } = (await serverFile()) as ServerFile
    expect(variablesOf(pids.runner ?? 0)).toContain(`RUNNER_IMAGE=${givenImage}`)
    expect(run.said()).toContain(`image ${givenImage} (RUNNER_IMAGE)`)
  })

  it('shows its link as a QR code when other devices can open it, and so does one that is started twice', async () => {
    const code = qrCode(/https:\S+\/auth\S+/.exec(run.said())?.[0] ?? '', false)
    expect(run.said()).toContain(code.map((line) => `  ${line}\n`).join(''))
    const second = npmStart()
    await once(second.child, 'exit')
    expect(second.said()).toContain(`${qrCode(/https:\S+\/auth\S+/.exec(second.said())?.[0] ?? '', false).join('\n')}\n`)
  })

  it('stops all that it started when it is asked to, and leaves no server.json', async () => {
    const { pids } = (await serverFile()) as ServerFile
    expect(Object.keys(pids).sort()).toEqual(['coordinator', 'redis', 'runner', 'start'])
    expect(await stop(run)).toBe(0)
    expect(Object.values(pids).map(argumentsOf)).toEqual([[], [], [], []])
    expect(await serverFile()).toBeNull()
  })

  it('stops all that it started when nobody reads on what it says', async () => {
    const piped = npmStart({ pipe: '| head -n 1' })
    await waitFor('its end', () => piped.child.exitCode === 0, 60_000)
    expect([leftOvers(dataDir), await serverFile(), holders(join(dataDir, 'starts'))]).toEqual([[], null, []])
    // Its first line, and no word of a fault.
    expect(piped.said()).toMatch(/^[^\n]+\n$/)
  })
})
