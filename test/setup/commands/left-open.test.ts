import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const root = join(import.meta.dirname, '../../..')

/** Opens one of each kind. A child ends with its parent, whose end closes its standard input. */
const OPENS = `
  import { spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { watch } from 'node:fs'
  import { connect, createServer } from 'node:net'
  import { afterAll, it } from '@jest/globals'

  it('opens much', async () => {
    globalThis.server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    globalThis.socket = connect(server.address().port, '127.0.0.1')
    await once(socket, 'connect')
    globalThis.child = spawn('cat')
    globalThis.watcher = watch(import.meta.dirname)
    createServer(() => {}).listen(0, '127.0.0.1').unref()
  })
`
const CLOSES = `
  afterAll(async () => {
    watcher.close()
    socket.destroy()
    server.close()
    child.kill()
    await Promise.all([once(child, 'close'), once(server, 'close')])
  })
`
/** It ends while the last moment to do so has not come. */
const LATE = `
  import { createServer } from 'node:net'
  import { it } from '@jest/globals'
  it('is late', () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    setTimeout(() => server.close(), 500)
  })
`

type File = { name: string; status: string; message: string }

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let files: File[]

beforeAll(async () => {
  folder = await temporaryFolder()
  const tests = join(folder.path, 'tests')
  await mkdir(tests)
  const sources = {
    leaves: OPENS,
    closes: OPENS + CLOSES,
    late: LATE,
    fails: `${OPENS} it('fails', () => { throw new Error('its own') })`,
  }
  for (const [name, source] of Object.entries(sources)) await writeFile(join(tests, `${name}.test.ts`), source)
  const report = join(folder.path, 'report.json')
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js']
  // By force: what is left open must end with the run.
  const flags = ['--roots', tests, '--json', `--outputFile=${report}`, '--maxWorkers=2', '--forceExit']
  await execa(process.execPath, [...jest, ...flags], { cwd: root, reject: false, env: { NODE_OPTIONS: '' } })
  files = (JSON.parse(await readFile(report, 'utf8')) as { testResults: File[] }).testResults
})
afterAll(() => folder?.remove())

function file(name: string): File {
  return files.find((one) => one.name.endsWith(`${name}.test.ts`)) ?? { name, status: 'missing', message: '' }
}

describe('a test file whose tests pass', () => {
  it('fails if it leaves something open, and names it', () => {
    const { status, message } = file('leaves')
    expect(status).toBe('failed')
    expect(message).toMatch(/leaves nothing open/)
    expect(message).toMatch(/alive: TCPServerWrap, TCPSocketWrap, .*ProcessWrap, FSEventWrap\./)
    expect(message).toMatch(/ {2}server on 127\.0\.0\.1:\d+\n/)
    expect(message).toMatch(/ {2}Socket from port \d+ to 127\.0\.0\.1:\d+\n/)
    expect(message).toMatch(/ {2}child process \d+: cat\n/)
  })

  it('passes if it closes all of it at the end, or if that ends by itself soon', () => {
    expect([file('closes').status, file('late').status]).toEqual(['passed', 'passed'])
  })
})

describe('a test file of which a test failed', () => {
  it('is told that alone: what failed often did not come to its end', () => {
    const { status, message } = file('fails')
    expect(status).toBe('failed')
    expect(message).toMatch(/its own/)
    expect(message).not.toMatch(/leaves nothing open/)
  })
})
