import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { keepRunning, nodeCommand, restartDelayMs, type Supervised } from '../../../setup/process/processes.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const running: Supervised[] = []
afterEach(async () => {
  for (const process of running.splice(0)) await process.stop(1_000)
})

function keep(script: string) {
  const lines: string[] = []
  const pids: (number | null)[] = []
  const supervised = keepRunning({
    name: 'sample',
    command: { file: process.execPath, args: ['--eval', script] },
    variables: process.env,
    folder: '/',
    write: (line) => lines.push(line),
    started: () => pids.push(1),
  })
  running.push(supervised)
  return { supervised, lines, starts: () => pids.length }
}

describe('keeping a process running', () => {
  it('starts it again after it was killed, and says so', async () => {
    const { supervised, lines, starts } = keep('console.log("up"); setInterval(() => {}, 1000)')
    await waitFor('its first line', () => lines.includes('up'))
    const pid = supervised.pid() ?? 0
    process.kill(pid, 'SIGKILL')
    expect(await supervised.firstEnd).toBe('sample ended: by SIGKILL. Its output is above.')
    await waitFor('another process', () => starts() === 2 && supervised.pid() !== pid)
    expect(lines).toContain('ended (by SIGKILL); restarting in 0.5 s')
  })

  it('does not start it again once it was stopped', async () => {
    const { supervised, lines, starts } = keep(
      'process.on("SIGTERM", () => { console.log("bye"); process.exit(0) }); console.log("up"); setInterval(() => {}, 1000)',
    )
    await waitFor('its first line', () => lines.includes('up'))
    await supervised.stop(5_000)
    expect({ lines, starts: starts(), pid: supervised.pid() }).toEqual({ lines: ['up', 'bye'], starts: 1, pid: null })
  })

  it('kills one that does not listen, after the grace', async () => {
    const { supervised, lines } = keep('process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)')
    await waitFor('its first line', () => lines.includes('up'))
    const since = performance.now()
    await supervised.stop(300)
    expect(performance.now() - since).toBeGreaterThan(250)
    expect(supervised.pid()).toBeNull()
  })

  it('ends the grace when it is forced', async () => {
    const { supervised, lines } = keep(
      'process.on("SIGTERM", () => console.log("asked")); console.log("up"); setInterval(() => {}, 1000)',
    )
    await waitFor('its first line', () => lines.includes('up'))
    const force = new AbortController()
    const stopped = supervised.stop(60_000, force.signal)
    await waitFor('the question', () => lines.includes('asked'))
    force.abort()
    await stopped
    expect(supervised.pid()).toBeNull()
  })

  it('waits longer after each failure in a row, up to half a minute', () => {
    expect([1, 2, 3, 7, 50].map(restartDelayMs)).toEqual([500, 1000, 2000, 30_000, 30_000])
  })
})

describe('a program that owns the terminal', () => {
  it('gets the SIGTERM that we get, and we end when it does, with its exit code', async () => {
    const folder = await temporaryFolder()
    const outer = join(folder.path, 'outer.ts')
    const inner =
      'process.on("SIGTERM", () => { console.log("bye"); process.exit(7) }); console.log("up"); setInterval(() => {}, 1000)'
    const home = join(import.meta.dirname, '../../../setup/process/processes.ts')
    await writeFile(
      outer,
      `import { runToEnd } from ${JSON.stringify(home)}
       const command = { file: process.execPath, args: ['--eval', ${JSON.stringify(inner)}] }
       void runToEnd(command, process.env, '/').then((code) => process.exit(code))`,
    )
    const { file, args } = nodeCommand(outer)
    const ours = execa(file, args, { cwd: join(import.meta.dirname, '../../..'), reject: false, timeout: 20_000 })
    let said = ''
    ours.stdout.on('data', (bytes) => {
      said += bytes
    })
    await waitFor('its first line', () => said === 'up\n')
    ours.kill('SIGTERM')
    expect(await ours).toMatchObject({ exitCode: 7, stdout: 'up\nbye' })
    await folder.remove()
  })
})
