import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { endLeftOvers, GRACE_MS, leftOvers, type Part, partVariable } from '../../../setup/process/left-overs.ts'
import { argumentsOf, variablesOf } from '../../../setup/process/process-table.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

let folder: TemporaryFolder
let children: ChildProcess[]
beforeEach(async () => {
  folder = await temporaryFolder()
  children = []
})
afterEach(async () => {
  for (const child of children) killGroup(child)
  await folder.remove()
})

/** With what it started itself. */
function killGroup(child: ChildProcess): void {
  try {
    process.kill(-pid(child), 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function begin(file: string, args: string[], env: Record<string, string>, cwd = '/'): ChildProcess {
  const child = spawn(file, args, { cwd, env: { PATH: process.env.PATH, ...env }, stdio: 'ignore', detached: true })
  children.push(child)
  return child
}
const LIVE = 'setInterval(() => undefined, 1000)'
const DEAF = `process.on('SIGTERM', () => undefined); require('node:fs').writeFileSync('deaf', ''); ${LIVE}`
function node(script: string, env: Record<string, string>, cwd?: string) {
  return begin(process.execPath, ['--eval', script], env, cwd)
}
function found() {
  return leftOvers(folder.path).map(({ part, pid }) => [part, pid])
}
function pid(child: ChildProcess) {
  return child.pid ?? 0
}

describe('what a killed start left behind', () => {
  it('is found from its first moment on, and named in the order in which it is to end', async () => {
    const [redis, runner, coordinator] = (['redis', 'runner', 'coordinator'] as Part[]).map((part) =>
      node(LIVE, partVariable(part, folder.path)),
    ) as [ChildProcess, ChildProcess, ChildProcess]
    await waitFor('all three', () => found().length === 3)
    expect(found()).toEqual([
      ['runner', pid(runner)],
      ['coordinator', pid(coordinator)],
      ['redis', pid(redis)],
    ])
    await endLeftOvers(leftOvers(folder.path))
    expect(found()).toEqual([])
    await waitFor('their ends', () => children.every(({ signalCode }) => signalCode === 'SIGTERM'))
  })

  it('holds a Redis, which writes its title over its environment', async () => {
    await mkdir(join(folder.path, 'redis'))
    const args = ['--port', '0', '--unixsocket', './socket', '--save', '', '--dir', join(folder.path, 'redis')]
    const redis = begin('redis-server', args, partVariable('redis', folder.path))
    await waitFor('its title', () => argumentsOf(pid(redis))[0]?.startsWith('redis-server '))
    expect(variablesOf(pid(redis)).join('')).not.toContain('PART_OF_ERRAND')
    expect(found()).toEqual([['redis', pid(redis)]])
  })

  it('holds nobody else: not what works for another folder, nor a program of ours that nobody keeps running, nor a child of one', async () => {
    const other = await temporaryFolder()
    node(LIVE, partVariable('runner', other.path))
    begin(process.execPath, ['--eval', LIVE, 'coordinator/main.ts'], {})
    const ours = node(
      `require('node:child_process').spawn(process.execPath, ['--eval', '${LIVE}'], { stdio: 'ignore' })
       require('node:fs').writeFileSync('${join(folder.path, 'has-child')}', ''); ${LIVE}`,
      partVariable('coordinator', folder.path),
    )
    await waitFor('its child', () => existsSync(join(folder.path, 'has-child')))
    expect(found()).toEqual([['coordinator', pid(ours)]])
    await other.remove()
  })

  it('is killed when it does not end in order', async () => {
    const runner = node(DEAF, partVariable('runner', folder.path), folder.path)
    await waitFor('its deaf ears', () => existsSync(join(folder.path, 'deaf')))
    await endLeftOvers(leftOvers(folder.path), { ...GRACE_MS, runner: 100 })
    expect(found()).toEqual([])
    await waitFor('its end', () => runner.signalCode)
    expect(runner.signalCode).toBe('SIGKILL')
  })

  it('is left alone when its pid is another process by now', async () => {
    const runner = node(LIVE, partVariable('runner', folder.path))
    await waitFor('it', () => found().length === 1)
    await endLeftOvers(leftOvers(folder.path).map((leftOver) => ({ ...leftOver, identity: 'an earlier one' })))
    expect(found()).toEqual([['runner', pid(runner)]])
  })
})
