import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { seenByModel } from '../../support/checks/conversation.ts'
import { expectWhole } from '../../support/checks/event-list.ts'
import { containersOf, storedTask } from '../../support/checks/traces.ts'
import { waitFor } from '../../support/checks/wait.ts'
import type { Policy, SeenRequest } from '../../support/outside/model-server.ts'
import { blocksOf, canonical } from '../../support/outside/model-strictness.ts'
import { giveAccess, type Outside, startOutside } from '../../support/systems/outside.ts'

/** Steps of the turn, and the one that the host is lost in. */
const STEPS = 12
const HELD_AT = 7
let modelGoesOn = false

/** Each step writes a line. The model believes its conversation: it goes on with the step after the last that it sees there. */
const policy: Policy = (request) => {
  const done = seenByModel(request).filter(({ who }) => who === 'ran').length
  if (done + 1 === HELD_AT && !modelGoesOn) return { silent: 'hang' }
  if (done === STEPS) return { content: [{ type: 'text', text: 'Write the lines\n\nAll of them.' }] }
  const command = `echo line ${done + 1} >> lines.txt; wc -l < lines.txt`
  return {
    content: [
      { type: 'text', text: `Step ${done + 1}.` },
      { type: 'tool_use', name: 'bash', input: { command } },
    ],
  }
}

let outside: Outside
let repositoryPath: string
beforeAll(async () => {
  outside = await startOutside({ runners: [{}, {}], policy })
  await giveAccess(outside)
})
afterAll(() => outside.stop())

describe('a runner that is lost for good in the middle of a turn, with its container', () => {
  it('costs a tail: another goes on with the same conversation, the same files and the rest of the money', async () => {
    const { system, git, model } = outside
    const repository = await git.addRepository('ada/lines', { files: { 'README.md': '# lines\n' } })
    repositoryPath = repository.path
    const { id, budgetUsd } = await system.send({ repoUrl: repository.url, prompt: 'Write lines' })
    await waitFor('the journal to have the results so far', async () => stepsIn(await journalOf(id)) === HELD_AT - 1)
    const before = model.requests.at(-1) as SeenRequest
    const all = HELD_AT - 1
    await waitFor('a checkpoint of all lines so far', async () => (await linesIn(await bundleOf(id))) === all, 120_000, 500)

    const name = runnersOf(await system.events(id))[0]
    const victim = name === 'runner-1' ? system.runners[0] : system.runners[1]
    const [sandbox] = await containersOf(id)
    await victim?.kill()
    await execa('docker', ['rm', '--force', sandbox?.id ?? ''])
    const lostAt = Date.now()
    modelGoesOn = true

    const task = await system.ended(id, 120_000)
    const events = await system.events(id)
    expect(task).toMatchObject({ status: 'completed', reason: 'done', attempt: 2, error: null })
    expect(runnersOf(events)).toEqual([name, name === 'runner-1' ? 'runner-2' : 'runner-1'])
    const begun = storedTask(system.dataDir, id).attempts[1]?.started_at ?? Number.POSITIVE_INFINITY
    expect(begun - lostAt).toBeLessThan(60_000)
    expectWhole(events)

    // To the byte, with every thinking block: the server refuses one that stands behind anything else than when it was written.
    const after = model.requests.at(before.index + 1) as SeenRequest
    expect(model.refusals).toEqual([])
    expect(blocks(after).slice(0, blocks(before).length)).toEqual(blocks(before))
    expect(after.said).toContain('the machine that you worked on was lost')
    // No step was asked for twice.
    expect(model.requests.length - (before.index + 1)).toBe(STEPS - HELD_AT + 2)
    const costs = events.flatMap((event) => (event.type === 'usage.counted' ? [{ attempt: event.attempt, ...event.data }] : []))
    const spent = (attempt: number) => costs.filter((one) => one.attempt === attempt).reduce((sum, one) => sum + one.costUsd, 0)
    expect(spent(1)).toBeGreaterThan(0)
    expect(task.usage.costUsd).toBeCloseTo(spent(1) + spent(2), 6)
    expect(task.budgetUsd).toBe(budgetUsd)
    // The files were as the lost attempt left them: each line is there once, and the model saw the same number as before.
    const { stdout } = await execa('git', ['show', `${task.branch}:lines.txt`], { cwd: repository.path })
    expect(stdout.split('\n')).toEqual(Array.from({ length: STEPS }, (_, index) => `line ${index + 1}`))
    expect(after.said).toMatch(/is as it was at \d\d:\d\d:\d\d UTC/)
    expect(await bundleOf(id, 2)).toBeNull()
    expect(await journalOf(id, 2)).toBe('')
  })
})

async function journalOf(taskId: string, attempt = 1): Promise<string> {
  return readFile(join(outside.system.dataDir, 'artifacts', `${taskId}-${attempt}.journal`), 'utf8').catch(() => '')
}

/** @returns the file of the newest checkpoint; null if there is none */
async function bundleOf(taskId: string, attempt = 1): Promise<string | null> {
  const file = join(outside.system.dataDir, 'artifacts', `${taskId}-${attempt}.checkpoint`)
  return access(file).then(
    () => file,
    () => null,
  )
}

/** @returns how many lines the work tree in a bundle has, as git reads it in a clone of the repository */
async function linesIn(bundle: string | null): Promise<number> {
  if (bundle === null) return 0
  const cwd = `${outside.system.dataDir}/look`
  await execa('git', ['clone', '--quiet', '--bare', repositoryPath, cwd]).catch(() => undefined)
  await execa('git', ['fetch', '--quiet', '--force', bundle, 'refs/errand/checkpoint:refs/errand/checkpoint'], { cwd })
  const { stdout } = await execa('git', ['show', 'refs/errand/checkpoint:lines.txt'], { cwd })
  return stdout.split('\n').length
}

function stepsIn(journal: string): number {
  return journal.split('"type":"tool_result"').length - 1
}

function blocks({ body }: SeenRequest): unknown[] {
  return blocksOf(body).map(canonical)
}

function runnersOf(events: readonly TaskEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'attempt.started' ? [event.data.runner] : []))
}
