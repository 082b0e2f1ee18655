import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { expectWhole } from '../../support/checks/event-list.ts'
import { waitFor } from '../../support/checks/wait.ts'
import type { Policy } from '../../support/outside/model-server.ts'
import { errand } from '../../support/systems/command-line.ts'
import { giveAccess, type Outside, startOutside } from '../../support/systems/outside.ts'

/** While true, the model does not give its second answer. */
let held = false
let heldCalls = 0
const policy: Policy = async ({ results }) => {
  if (results.length === 0) return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo done > NOTE.md' } }] }
  if (held) heldCalls += 1
  await waitFor('the model to go on', () => !held)
  return { content: [{ type: 'text', text: 'Leave a note\n\nWritten.' }] }
}

let outside: Outside
let repoUrl: string
beforeAll(async () => {
  outside = await startOutside({ runners: [{}, {}], policy })
  repoUrl = (await outside.git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })).url
  await giveAccess(outside)
})
afterAll(() => outside.stop())

function runErrand(...argv: string[]) {
  const { url, token } = outside.system
  return errand(argv, { env: { ERRAND_URL: url, ERRAND_TOKEN: token } })
}

/** Sends a task, and waits until its agent waits for the model. @returns its id, and the name of its runner */
async function underWay(prompt: string): Promise<{ id: string; on: string }> {
  const { system } = outside
  const before = heldCalls
  held = true
  const { id } = await system.send({ repoUrl, prompt })
  await waitFor('the agent to wait for the model', () => heldCalls > before)
  return { id, on: runnersOf(await system.events(id))[0] ?? '' }
}

function runnersOf(events: readonly TaskEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'attempt.started' ? [event.data.runner] : []))
}

describe('a runner that an administrator takes out of service', () => {
  it('hands its attempt over, with the work so far, and takes no other', async () => {
    const { system } = outside
    const { id, on } = await underWay('Leave a note, and move')
    expect((await runErrand('runner', 'drain', on, '--hand-over')).out).toMatch(
      /takes no new tasks\. It hands over the 1 that it has/,
    )
    await waitFor('the attempt to end', async () => (await system.events(id)).some(({ type }) => type === 'attempt.ended'))
    held = false
    expect(await system.ended(id)).toMatchObject({ status: 'completed', attempt: 2 })
    const events = await system.events(id)
    expectWhole(events)
    expect(events.filter(({ type }) => type === 'attempt.ended').map(({ data }) => data)).toMatchObject([
      { outcome: 'interrupted', reason: 'runner_stopped' },
      { outcome: 'completed', reason: 'done' },
    ])
    const [first, second] = runnersOf(events)
    expect([first, second]).toEqual([on, on === 'runner-1' ? 'runner-2' : 'runner-1'])
    expect((await runErrand('runner', 'list')).out).toMatch(
      new RegExp(`${on} +0 of 1 busy +Waiting: every connected runner is being taken`),
    )
    expect((await runErrand('runner', 'resume', on)).out).toBe(`${on} takes tasks again.\n`)
  })

  it('finishes what it has; when no other is left, tasks say why they wait, and go on when it serves again', async () => {
    const { system } = outside
    const { id } = await underWay('Leave a note, and finish')
    for (const name of ['runner-1', 'runner-2']) expect((await runErrand('runner', 'drain', name)).exit).toBe(0)
    const waiting = await system.send({ repoUrl, prompt: 'Leave another' })
    await waitFor('the reason', async () => (await system.task(waiting.id)).reason === 'runner_draining')
    held = false
    expect(await system.ended(id)).toMatchObject({ status: 'completed', attempt: 1 })
    expect((await system.task(waiting.id)).status).toBe('pending')
    await runErrand('runner', 'resume', 'runner-2')
    expect(await system.ended(waiting.id)).toMatchObject({ status: 'completed', attempt: 1 })
    expect(runnersOf(await system.events(waiting.id))).toEqual(['runner-2'])
    await runErrand('runner', 'resume', 'runner-1')
  })

  it('is named as the list names it', async () => {
    const { exit, err } = await runErrand('runner', 'drain', 'cellar')
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringMatching(/No runner is called cellar\. Runners: runner-/) })
    expect((await runErrand('runner', 'paint')).err).toContain(
      'Usage: errand runner list | drain NAME [--hand-over] | resume NAME',
    )
  })
})
