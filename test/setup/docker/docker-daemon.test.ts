import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { keptDaemon, logFileIn, startDaemon, useDaemon } from '../../../setup/docker/docker-daemon.ts'
import { holders } from '../../../setup/process/claims.ts'
import { nodeCommand } from '../../../setup/process/processes.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

/** Stands in for an engine: up when its file is there, and it ends when it is asked to and may. */
const DOCKERD = `#!/usr/bin/env node
const { existsSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const file = (name) => join(__dirname, name)
process.on('SIGTERM', () => {
  writeFileSync(file('asked'), '')
  setInterval(() => existsSync(file('may-end')) && process.exit(), 10)
})
writeFileSync(file('up'), '')
setInterval(() => undefined, 1000)
`
/** Another process of ours: uses the engine until SIGTERM. */
const OTHER = `
import { join } from 'node:path'
import { keptDaemon, logFileIn, useDaemon } from './setup/docker/docker-daemon.ts'
const folder = process.env.FOLDER
const leave = await useDaemon(folder, join(folder, 'docker.sock'))
process.on('SIGTERM', () => leave().then(() => process.exit()))
console.log('engine ' + keptDaemon(logFileIn(folder)))
setInterval(() => undefined, 1000)
`

let folder: TemporaryFolder
let others: ChildProcess[]
function socket() {
  return inFolder('docker.sock')
}
function use() {
  return useDaemon(folder.path, socket())
}
function inFolder(name: string) {
  return join(folder.path, name)
}
function engine() {
  return keptDaemon(logFileIn(folder.path))
}

beforeEach(async () => {
  folder = await temporaryFolder()
  others = []
  await writeFile(inFolder('dockerd'), DOCKERD, { mode: 0o755 })
  await writeFile(inFolder('may-end'), '')
})
afterEach(async () => {
  for (const other of others) other.kill('SIGKILL')
  const pid = engine()
  if (pid) process.kill(pid, 'SIGKILL')
  await folder.remove()
})

async function start(): Promise<number> {
  await startDaemon(inFolder('dockerd'), logFileIn(folder.path), () => existsSync(inFolder('up')))
  return engine() ?? 0
}

function another() {
  const { file, args } = nodeCommand('--input-type=module', '--eval', OTHER)
  const env = { ...process.env, FOLDER: folder.path }
  const child = spawn(file, args, { cwd: join(import.meta.dirname, '../../..'), env, stdio: ['ignore', 'pipe', 'inherit'] })
  others.push(child)
  let said = ''
  child.stdout.on('data', (piece) => (said += piece))
  return { child, engine: () => waitFor('its word', () => /engine (\S+)\n/.exec(said)?.[1]) }
}

/** Stands in for a runner: only its command line and its environment are looked at. */
async function runner(host: string): Promise<ChildProcess> {
  await mkdir(inFolder('runner'), { recursive: true })
  await writeFile(inFolder('runner/main.ts'), "console.log('up'); setInterval(() => undefined, 1000)")
  const env = { ...process.env, DOCKER_HOST: host }
  const child = spawn(process.execPath, ['runner/main.ts'], { cwd: folder.path, env, stdio: ['ignore', 'pipe', 'inherit'] })
  others.push(child)
  await once(child.stdout, 'data')
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

describe('an engine that was started by hand', () => {
  it('is stopped by who started it, when nobody else uses it', async () => {
    const leave = await use()
    expect(await start()).toBeGreaterThan(0)
    await leave()
    expect(engine()).toBeNull()
  })

  it('stays as long as another process uses it, whoever started it; the last one stops it', async () => {
    const leave = await use()
    const pid = await start()
    const server = another()
    expect(await server.engine()).toBe(String(pid))
    await leave()
    expect(engine()).toBe(pid)
    const leaveAgain = await use()
    await end(server.child, 'SIGTERM')
    expect(engine()).toBe(pid)
    await leaveAgain()
    expect(engine()).toBeNull()
  })

  it('is not kept for a process that was killed', async () => {
    const leave = await use()
    await start()
    const server = another()
    await server.engine()
    await end(server.child, 'SIGKILL')
    await leave()
    expect(engine()).toBeNull()
  })

  it('stays as long as a runner uses it, whoever started that; the next setup that ends stops it', async () => {
    const leave = await use()
    const pid = await start()
    const itsOwn = await runner(`unix://${socket()}`)
    await runner('unix:///run/another.sock')
    await leave()
    expect(engine()).toBe(pid)
    const leaveAgain = await use()
    await end(itsOwn, 'SIGKILL')
    await leaveAgain()
    expect(engine()).toBeNull()
  })

  it('is waited for when a killed setup has started it, and no second one is', async () => {
    const pid = await start()
    await rm(inFolder('up'))
    const again = startDaemon(inFolder('dockerd'), logFileIn(folder.path), () => existsSync(inFolder('up')))
    await writeFile(inFolder('up'), '')
    await again
    expect(engine()).toBe(pid)
  })

  it('is not taken for one when its pid is another process by now, whatever that is called', async () => {
    const other = await runner('')
    await writeFile(logFileIn(folder.path).replace('.log', '.pid'), `${other.pid} dockerd`)
    const leave = await use()
    await leave()
    expect([engine(), other.signalCode]).toEqual([null, null])
  })

  it('is used by nobody any more while it is being stopped', async () => {
    await rm(inFolder('may-end'))
    const leave = await use()
    await start()
    const left = leave()
    await waitFor('the engine to be asked', () => existsSync(inFolder('asked')))
    const server = another()
    await waitFor('another user', () => holders(inFolder('dockerd.users')).includes(server.child.pid ?? 0))
    await writeFile(inFolder('may-end'), '')
    await left
    expect(await server.engine()).toBe('null')
  })
})
