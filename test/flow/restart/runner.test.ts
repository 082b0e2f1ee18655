import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { LEASE_MS } from '../../../contract/wire/deadlines.ts'
import { expectWhole } from '../../support/checks/event-list.ts'
import { containersOf } from '../../support/checks/traces.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import type { Policy } from '../../support/outside/model-server.ts'
import { giveAccess, type Outside, startOutside } from '../../support/systems/outside.ts'

/** How many calls the model leaves without an answer from now on, and what it was last told by the person. */
let silent = 0
const held: string[] = []

const policy: Policy = ({ results, body }) => {
  if (silent > 0) {
    silent -= 1
    held.push(JSON.stringify(body.messages))
    return { silent: 'hang' }
  }
  if (results.length === 0) return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo done > NOTE.md' } }] }
  return { content: [{ type: 'text', text: 'Leave a note\n\nWritten, and looked at.' }] }
}

let outside: Outside
let repository: { url: string; path: string }
beforeAll(async () => {
  outside = await startOutside({ policy })
  repository = await outside.git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })
  await giveAccess(outside)
})
afterAll(() => outside.stop())
afterEach(() => outside.git.holdAnswers(false))

/** Kills the runner, and starts it again. */
async function restart(between: () => Promise<unknown> = async () => undefined): Promise<void> {
  const [runner] = outside.system.runners
  await runner?.kill()
  await between()
  await runner?.start()
}

/** Fails unless one attempt did the task, with one push. */
async function endedInOne(id: string): Promise<TaskEvent[]> {
  const task = await outside.system.ended(id)
  expect(task).toMatchObject({ status: 'completed', reason: 'done', attempt: 1, error: null })
  const events = await outside.system.events(id)
  expectWhole(events)
  const commit = (await refsOf(repository.path))[`refs/heads/${task.branch}`]
  expect(events.filter(({ type }) => type === 'branch.pushed').map(({ data }) => data)).toEqual([
    { branch: task.branch, commit, before: null },
  ])
  expect(events.find(({ type }) => type === 'turn.ended')?.data).toMatchObject({ commit, diff: { files: 1 } })
  const { body } = await outside.system.api<string>(`/api/tasks/${id}/diff`)
  expect(body).toContain('+done')
  expect(await containersOf(id)).toEqual([])
  // The person is not told that the model cannot be reached: it can.
  expect(events.filter(({ type }) => type === 'model.waiting')).toEqual([])
  return events
}

describe('a runner that is killed and started again', () => {
  it('in the middle of a push that the host took: the push counts, once', async () => {
    const { git, system } = outside
    await git.holdAnswers(true)
    const { id, branch } = await system.send({ repoUrl: repository.url, prompt: 'Leave a note' })
    await waitFor('the host to have the branch', async () => `refs/heads/${branch}` in (await refsOf(repository.path)))
    await restart(() => git.holdAnswers(false))
    await endedInOne(id)
  })

  it('in the middle of a model call: the agent makes it again, word for word', async () => {
    const { system } = outside
    silent = 1
    const { id } = await system.send({ repoUrl: repository.url, prompt: 'Leave a note, and wait' })
    await waitFor('the agent to wait for the model', () => silent === 0)
    await restart()
    await endedInOne(id)
    const bodies = outside.model.requests.map(({ body }) => JSON.stringify(body.messages))
    expect(bodies.filter((one) => one === held.at(-1))).toHaveLength(2)
  })

  it('while a person sends a message: the agent gets it once', async () => {
    const { system } = outside
    silent = 1
    const { id } = await system.send({ repoUrl: repository.url, prompt: 'Leave a note, and listen' })
    await waitFor('the agent to wait for the model', () => silent === 0)
    const text = 'Say hello in it'
    await restart(() => system.ask(`/api/tasks/${id}/messages`, { text, mode: 'steer', clientId: 'steer-1' }))
    const events = await endedInOne(id)
    expect(events.filter(({ type }) => type === 'message.delivered')).toHaveLength(1)
    const last = JSON.stringify(outside.model.requests.at(-1)?.body.messages)
    expect(last.split(text)).toHaveLength(2)
  })

  it('again and again: no line is lost or told twice', async () => {
    const { system } = outside
    const { id } = await system.send({ repoUrl: repository.url, prompt: 'Leave a note' })
    for (const type of ['sandbox.ready', 'turn.started', 'tool.started'])
      await waitFor(type, async () => (await system.events(id)).some((event) => event.type === type)).then(() => restart())
    const events = await endedInOne(id)
    const once = ['sandbox.ready', 'repo.cloned', 'turn.started', 'tool.started', 'tool.ended', 'text.written']
    for (const type of once) expect([type, events.filter((event) => event.type === type).length]).toEqual([type, 1])
    expect(
      (await execa('git', ['-C', repository.path, 'log', '--oneline', `main..${(await system.task(id)).branch}`])).stdout.split(
        '\n',
      ),
    ).toHaveLength(1)
  })
})

describe('a runner that is killed and does not come back in time', () => {
  it('has sandboxes that end by themselves; the turn is done again, and nothing is left', async () => {
    const { system } = outside
    const [runner] = system.runners
    silent = 1
    const { id } = await system.send({ repoUrl: repository.url, prompt: 'Leave a note, all alone' })
    await waitFor('the agent to wait for the model', () => silent === 0)
    await runner?.kill()
    const killedAt = performance.now()
    await waitFor('the sandbox to end', async () => (await containersOf(id)).every(({ running }) => !running), 180_000)
    expect(performance.now() - killedAt).toBeGreaterThan(LEASE_MS)
    await runner?.start()
    expect(await system.ended(id)).toMatchObject({ status: 'completed', attempt: 2 })
    const events = await system.events(id)
    expectWhole(events)
    expect(events.filter(({ type }) => type === 'attempt.ended').map(({ data }) => data)).toMatchObject([
      { outcome: 'interrupted', reason: 'runner_lost' },
      { outcome: 'completed', reason: 'done' },
    ])
    await waitFor('the containers to be gone', async () => (await containersOf(id)).length === 0)
    expect(await readdir(join(dirname(system.dataDir), 'r1', 'doors'))).toEqual([])
    await waitFor('the spools to be gone', async () => (await readdir(join(dirname(system.dataDir), 'r1', 'spool'))).length === 0)
  })
})
