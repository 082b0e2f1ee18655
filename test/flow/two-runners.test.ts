import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { LEASE_CHECK_MS, LEASE_MS, LEASE_RETRY_MS, RENEW_EVERY_MS } from '../../contract/wire/deadlines.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { containersOf, storedTask } from '../support/checks/traces.ts'
import { waitFor } from '../support/checks/wait.ts'
import type { Policy } from '../support/outside/model-server.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { addUser } from '../support/systems/people.ts'

/** In this task the model gives no second answer before {@link modelGoesOn}. */
const HELD = 'Leave a note, and outlive your host'
let modelGoesOn = false
let heldCalls = 0

const policy: Policy = ({ results, said, body }) => {
  if (results.length === 0 || said.includes('the machine that you worked on was lost'))
    return { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo done > NOTE.md' } }] }
  if (!modelGoesOn && JSON.stringify(body.messages[0]).includes(HELD)) {
    heldCalls += 1
    return { silent: 'hang' }
  }
  return { content: [{ type: 'text', text: 'Leave a note\n\nWritten, and looked at.' }] }
}

let outside: Outside
let repository: { url: string; path: string }
beforeAll(async () => {
  outside = await startOutside({ runners: [{}, {}], policy })
  repository = await outside.git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })
})
afterAll(() => outside.stop())

type Sent = { user: string; token: string; task: Task; events: TaskEvent[] }

describe('two runners with one slot each', () => {
  it('take ten tasks of two users together: each task once, each user in turn', async () => {
    const { system } = outside
    const users = ['grace', 'alan'].map((user) => ({ user, token: addUser(system.dataDir, user) }))
    for (const { token } of users) await giveAccess(outside, { token })

    // All of the first user's tasks are there before the second user's first.
    const sent: Sent[] = []
    for (const { user, token } of users)
      for (let count = 0; count < 5; count++)
        sent.push({
          user,
          token,
          task: await system.send({ repoUrl: repository.url, prompt: `Leave note ${count}` }, token),
          events: [],
        })

    for (const one of sent) {
      one.task = await system.ended(one.task.id, 180_000, one.token)
      one.events = await system.events(one.task.id, one.token)
    }

    for (const { task, events } of sent) {
      expect({ status: task.status, attempt: task.attempt }).toEqual({ status: 'completed', attempt: 1 })
      expectWhole(events)
    }
    expect(new Set(sent.flatMap(({ events }) => runnersOf(events)))).toEqual(new Set(['runner-1', 'runner-2']))

    const order = [...sent].sort((a, b) => startOf(a).localeCompare(startOf(b))).map(({ user }) => user)
    // The first user alone was there when the first were handed out; from then on it is turn and turn about.
    const shared = order.slice(order.indexOf('alan'), order.lastIndexOf('alan') + 1)
    expect(longestRun(shared)).toBeLessThanOrEqual(2)
    expect(order.indexOf('alan')).toBeLessThanOrEqual(4)
  })

  it('survive the loss of one with its containers: the other begins the turn again in time, and ends it', async () => {
    const { system } = outside
    await giveAccess(outside)
    const { id } = await system.send({ repoUrl: repository.url, prompt: HELD })
    await waitFor('the agent to wait for the model', () => heldCalls === 1, 60_000)
    const [name = ''] = runnersOf(await system.events(id))
    const [victim, other] = name === 'runner-1' ? system.runners : system.runners.toReversed()
    const leaseUntil = () => storedTask(system.dataDir, id).attempts[0]?.lease_until ?? 0
    // Half-way between two renewals, so that none is on its way to the coordinator.
    await waitFor('half of the time to the next renewal', () => leaseUntil() - Date.now() < LEASE_MS - RENEW_EVERY_MS / 2)

    const [sandbox, ...more] = await containersOf(id)
    expect([sandbox, more]).toMatchObject([{ attempt: 1, running: true }, []])
    const killedAt = Date.now()
    await victim?.kill()
    await execa('docker', ['rm', '--force', sandbox?.id ?? ''])
    expect(await containersOf(id)).toEqual([])
    expect(storedTask(system.dataDir, id)).toMatchObject({ status: 'running', attempts: [{ ended_at: null, runner_name: name }] })
    const leaseMs = leaseUntil() - killedAt
    modelGoesOn = true

    const task = await system.ended(id, 120_000)
    const events = await system.events(id)
    const { attempts } = storedTask(system.dataDir, id)
    const offeredMs = (firstRefusal(other?.log() ?? '', id) ?? Number.POSITIVE_INFINITY) - killedAt
    const begunMs = (attempts[1]?.started_at ?? Number.POSITIVE_INFINITY) - killedAt
    const boundMs = LEASE_MS + LEASE_CHECK_MS + LEASE_RETRY_MS
    process.stdout.write(
      `a lost runner: ${offeredMs} ms to the offer of its turn, ${leaseMs} ms to the end of its lease, ${begunMs} ms to the second attempt (at most ${boundMs})\n`,
    )
    // The queue's stall settings offer the turn elsewhere while the lease lasts; the lease alone keeps a second attempt out.
    expect(offeredMs).toBeGreaterThan(0)
    expect(offeredMs).toBeLessThan(leaseMs)
    expect(begunMs).toBeGreaterThan(leaseMs)
    expect(begunMs).toBeLessThanOrEqual(boundMs)

    expect(task).toMatchObject({ status: 'completed', reason: 'done', attempt: 2, error: null })
    expect(attempts).toMatchObject([
      { attempt: 1, runner_name: name, outcome: 'interrupted', reason: 'runner_lost' },
      { attempt: 2, runner_name: name === 'runner-1' ? 'runner-2' : 'runner-1', outcome: 'completed', reason: 'done' },
    ])
    expectWhole(events)
    const contents = events.filter(({ type }) => type !== 'usage.counted').map(contentOf)
    expect(contents).toEqual([...new Set(contents)])
    expect(events.filter(({ type }) => type === 'branch.pushed').map(({ attempt }) => attempt)).toEqual([2])
    expect(await git('log', '--format=%s', `main..${task.branch}`)).toBe('Leave a note')
    expect(await git('show', `${task.branch}:NOTE.md`)).toBe('done')
    expect(victim?.isAlive()).toBe(false)
    expect(await containersOf(id)).toEqual([])
  })
})

/** All that makes two events the same one, stored twice. */
function contentOf({ attempt, type, data }: TaskEvent): string {
  return JSON.stringify([attempt, type, data])
}

async function git(...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd: repository.path })).stdout
}

function startOf({ events }: Sent): string {
  return events.find(({ type }) => type === 'attempt.started')?.at ?? ''
}

function runnersOf(events: readonly TaskEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'attempt.started' ? [event.data.runner] : []))
}

/** @returns when this runner was first refused the lease of a task that another runner held, as its log has it */
function firstRefusal(log: string, taskId: string): number | undefined {
  const lines = log.split('\n').filter((line) => line.includes('"lease.refused"') && line.includes(taskId))
  const refusals = lines.map((line) => JSON.parse(line) as { time: string; refusal: string })
  const first = refusals.find(({ refusal }) => refusal === 'leased')
  return first && Date.parse(first.time)
}

/** @returns how often the same one comes in a row at most */
function longestRun(names: readonly string[]): number {
  let longest = 0
  let run = 0
  names.forEach((name, index) => {
    run = name === names[index - 1] ? run + 1 : 1
    longest = Math.max(longest, run)
  })
  return longest
}
