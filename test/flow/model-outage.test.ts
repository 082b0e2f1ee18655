import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { containersOf, storedTask } from '../support/checks/traces.ts'
import { waitFor } from '../support/checks/wait.ts'
import type { Policy } from '../support/outside/model-server.ts'
import type { Reply } from '../support/outside/model-wire.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'

/** The model answers this prompt during every outage. */
const SPARED = 'Look at the notes'
let outage: Reply | null = null

/** Writes a note, and then says so; the outage comes between the two. */
const policy: Policy = ({ results, body }) => {
  const isSpared = JSON.stringify(body.messages[0]).includes(SPARED)
  if (outage && !isSpared && (results.length > 0 || body.messages.length > 1)) return outage
  const wrote = JSON.stringify(body.messages).includes('tool_result')
  if (isSpared || wrote) return { content: [{ type: 'text', text: 'Leave a note\n\nWritten, and looked at.' }] }
  return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo done >> NOTE.md' } }] }
}

let outside: Outside
let repository: { url: string; path: string }
beforeAll(async () => {
  outside = await startOutside({
    environment: { ERRAND_MODEL_WAIT_SECONDS: '2' },
    runners: [{ RUNNER_SLOTS: '2' }],
    redisPersistent: false,
    policy,
  })
  repository = await outside.git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })
  await giveAccess(outside)
})
afterAll(() => outside.stop())

const send = (prompt: string) => outside.system.send({ repoUrl: repository.url, prompt })
const find = async (id: string) => (await outside.system.api<Task>(`/api/tasks/${id}`)).body
const timesParked = ({ id }: Task) =>
  storedTask(outside.system.dataDir, id).attempts.filter(({ reason }) => reason === 'model_waiting').length

/** Fails unless the task is done, its work was done once, and every attempt but the last ended because of the model. */
async function expectDoneOnce({ id }: Task): Promise<TaskEvent[]> {
  const task = await outside.system.ended(id, 120_000)
  expect({ status: task.status, reason: task.reason, waitingUntil: task.waitingUntil }).toEqual({
    status: 'completed',
    reason: 'done',
    waitingUntil: null,
  })
  const events = await outside.system.events(id)
  expectWhole(events)
  expect(events.filter(({ type }) => type === 'tool.started')).toHaveLength(1)
  const ends = events.flatMap((event) => (event.type === 'attempt.ended' ? [event.data.reason] : []))
  expect([ends.slice(0, -1).every((reason) => reason === 'model_waiting'), ends.at(-1)]).toEqual([true, 'done'])
  return events
}

describe('while the model does not answer', () => {
  it('no task fails, their slots are free for others, and all are done afterwards', async () => {
    outage = { status: 529, type: 'overloaded_error', message: 'Overloaded' }
    const tasks = await Promise.all([1, 2, 3, 4].map((n) => send(`Leave note ${n}`)))
    await waitFor('each to free its slot twice', () => tasks.every((task) => timesParked(task) >= 2), 180_000, 300)
    const other = await outside.system.ended((await send(SPARED)).id, 60_000)
    expect(other).toMatchObject({ status: 'completed', attempt: 1 })
    for (const task of tasks) expect(['pending', 'running']).toContain((await find(task.id)).status)
    outage = null
    for (const task of tasks) {
      const events = await expectDoneOnce(task)
      expect(events.find(({ type }) => type === 'model.waiting')?.data).toMatchObject({ reason: 'overloaded', attempt: 1 })
    }
  })

  it('a task comes back at the time that the API named, though runner and Redis were lost meanwhile', async () => {
    const headers = { 'retry-after': '15' }
    outage = { status: 429, type: 'rate_limit_error', message: 'slow down', headers }
    const { system } = outside
    const task = await send('Leave a note for later')
    const parked = await waitFor('it to free its slot', async () => {
      const now = await find(task.id)
      return now.reason === 'model_waiting' && now
    })
    await system.runners[0]?.kill()
    await system.redis.kill()
    outage = null
    expect(await containersOf(task.id)).toEqual([])
    await system.redis.start()
    await system.runners[0]?.start()
    const events = await expectDoneOnce(task)
    const began = events.flatMap((event) => (event.type === 'attempt.started' ? [Date.parse(event.at)] : []))
    expect(began).toHaveLength(2)
    expect((began[1] ?? 0) - Date.parse(parked.waitingUntil ?? '')).toBeGreaterThanOrEqual(-1_000)
    expect((began[1] ?? 0) - Date.parse(parked.waitingUntil ?? '')).toBeLessThan(30_000)
  })
})
