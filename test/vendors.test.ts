import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { NOT_YET } from './support/checks/not-yet.ts'
import { packageOf, readSources, stripComments, targetFile, targetFolder } from './support/checks/sources.ts'

/** The files that a vendor lives in. `runner` and `coordinator` share a queue, so bullmq has one on each side of it. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['coordinator/queue/dispatch.ts', 'runner/jobs/take-jobs.ts'],
  dockerode: ['runner/sandbox/docker.ts'],
  'socket.io': ['coordinator/live/rooms.ts'],
  'better-sqlite3': ['coordinator/store/sqlite/driver.ts'],
  '@anthropic-ai/sdk': ['worker-image/model/model-client.ts'],
  'tar-stream': ['coordinator/backup/archive.ts'],
  'web-push': ['coordinator/notify/web-push.ts'],
  'socket.io-client': ['cli/server/follow.ts', 'app/src/client/socket.ts'],
  esbuild: ['setup/build/program.ts'],
  uqr: ['cli/show/link-notes.ts', 'app/src/settings/signed-in/qr-code.tsx'],
}

const sources = await readSources(['bin', 'cli', 'client', 'contract', 'coordinator', 'runner', 'worker-image', 'setup', 'app'])

describe('where a vendor, the environment, SQL and the schemas are', () => {
  it('lets app and client take types and plain words from the contract, and the schemas, which weigh on a phone, by one late door', () => {
    const forPhones = sources.filter(({ file }) => /^(app|client)\//.test(file))
    const fromContract = forPhones
      .flatMap(({ imports }) => imports)
      .filter(({ file, from }) => targetFolder(file, from).startsWith('contract/'))
    expect(fromContract.length).toBeGreaterThan(5)
    const plain = sources
      .filter(({ file, imports }) => file.startsWith('contract/') && imports.length === 0)
      .map(({ file }) => file)
    const values = fromContract.filter(({ file, from, typeOnly }) => !typeOnly && !plain.includes(join(dirname(file), from)))
    expect(values.map(({ file, from }) => `${file} imports ${from}`)).toEqual([
      'app/src/client/answers.ts imports ../../../contract/api/endpoints.ts',
    ])
    const usesZod = forPhones.filter(({ imports }) => imports.some(({ from }) => packageOf(from) === 'npm:zod'))
    expect(usesZod.map(({ file }) => file)).toEqual(['app/src/client/without-eval.ts'])
    expect(importersOf('app/src/client/answers.ts')).toEqual(['app/src/client/client.ts'])
    const atOnce = forPhones.filter(({ text }) => /from '[^']*\/(answers|without-eval)\.ts'/.test(stripComments(text)))
    expect(atOnce.map(({ file }) => file)).toEqual([])
  })

  it('keeps each vendor in its own file', () => {
    const elsewhere = sources.flatMap(({ imports }) =>
      imports.filter(({ file, from }) => {
        const homes = VENDORS[packageOf(from).replace('npm:', '')]
        return homes !== undefined && !homes.includes(file)
      }),
    )
    expect(elsewhere.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it('reads the environment in the configuration of each process and nowhere else', () => {
    const allowed = /^(setup|bin|cli)\/|\/main\.ts$/
    const readers = sources.filter(({ file, text }) => !allowed.test(file) && /process\.env\b/.test(stripComments(text)))
    expect(readers.map(({ file }) => file)).toEqual([])
  })

  it('keeps SQL in the store', () => {
    const sql = /\bsql`|\.(selectFrom|insertInto|updateTable|deleteFrom)\(/
    const writers = sources.filter(({ file, text }) => !file.startsWith('coordinator/store/') && sql.test(stripComments(text)))
    expect(writers.map(({ file }) => file)).toEqual(NOT_YET.sql)
  })
})

function importersOf(wanted: string): string[] {
  return sources
    .filter(({ imports }) => imports.some(({ file, from }) => targetFile(file, from) === wanted))
    .map(({ file }) => file)
}
