import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { expectWhole } from '../support/checks/event-list.ts'
import { mendsByMutation } from '../support/scripted/mend-by-mutation.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/systems/temporary.ts'

/** A package that somebody else wrote and published, tests and all, without a dependency. */
const PACKAGE = 'pend@1.2.0'
const BREAK = { from: 'if (this.pending < this.max)', to: 'if (this.pending <= this.max)' }

let outside: Outside
let folder: TemporaryFolder
beforeAll(async () => {
  folder = await temporaryFolder()
  outside = await startOutside({ policy: mendsByMutation('index.js') })
})
afterAll(async () => {
  await outside.stop()
  await folder.remove()
})

async function unpackBroken(): Promise<string> {
  const { stdout } = await execa('npm', ['pack', '--silent', PACKAGE], { cwd: folder.path })
  await execa('tar', ['xzf', stdout.trim()], { cwd: folder.path })
  const unpacked = join(folder.path, 'package')
  const source = await readFile(join(unpacked, 'index.js'), 'utf8')
  expect(source).toContain(BREAK.from)
  await writeFile(join(unpacked, 'index.js'), source.replace(BREAK.from, BREAK.to))
  return unpacked
}

async function tests(clone: string) {
  const { NODE_OPTIONS: _, ...env } = process.env
  return execa('npm', ['test'], { cwd: clone, env, extendEnv: false, reject: false })
}

describe('a task on the source of a real npm package', () => {
  it('finds the failing test in the output, mends it, and pushes a branch that passes the package’s own tests', async () => {
    const { system, git, model } = outside
    const repository = await git.addRepository('andrew/pend', { fromFolder: await unpackBroken() })
    const clone = join(folder.path, 'clone')
    await giveAccess(outside)

    const sent = await system.send({ repoUrl: repository.url, prompt: 'A test fails. Find out why, and mend the code.' })
    const task = await system.ended(sent.id, 120_000)
    expect(task).toMatchObject({ status: 'completed', reason: 'done', demo: false })
    expect(task.usage.costUsd).toBeGreaterThan(0)
    expect(model.refusals).toEqual([])
    const events = await system.events(task.id)
    expectWhole(events)
    expect(events.find(({ type }) => type === 'branch.pushed')?.data).toMatchObject({ branch: task.branch })

    await execa('git', ['clone', '--quiet', repository.path, clone])
    expect((await tests(clone)).exitCode).not.toBe(0)
    await execa('git', ['checkout', '--quiet', task.branch], { cwd: clone })
    expect(await tests(clone)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('5 tests passed') })

    const diff = await system.api<string>(`/api/tasks/${task.id}/diff`)
    expect(diff.body).toContain(`-  ${BREAK.to}`)
    expect(diff.body).toContain(`+  ${BREAK.from}`)
  })
})
