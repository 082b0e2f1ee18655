import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import { addUser } from '../support/systems/users.ts'

let outside: Outside
beforeAll(async () => {
  outside = await startOutside({
    runners: [{}, {}],
    policy: ({ results }) =>
      results.length === 0
        ? { content: [{ type: 'tool_use', name: 'bash', input: { command: 'echo done > NOTE.md' } }] }
        : { content: [{ type: 'text', text: 'Leave a note\n\nWritten, and looked at.' }] },
  })
}, 60_000)
afterAll(() => outside.stop())

type Sent = { user: string; token: string; task: Task; events: TaskEvent[] }

function startOf({ events }: Sent): string {
  return events.find(({ type }) => type === 'attempt.started')?.at ?? ''
}

describe('two runners with one slot each', () => {
  it('take ten tasks of two users together: each task once, each user in turn', async () => {
    const { system, git } = outside
    const repository = await git.addRepository('ada/notes', { files: { 'README.md': '# notes\n' } })
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
    const runners = sent.map(({ events }) =>
      events.flatMap((event) => (event.type === 'attempt.started' ? [event.data.runner] : [])),
    )
    expect(new Set(runners.flat())).toEqual(new Set(['runner-1', 'runner-2']))

    const order = [...sent].sort((a, b) => startOf(a).localeCompare(startOf(b))).map(({ user }) => user)
    // The first user alone was there when the first were handed out; from then on it is turn and turn about.
    const shared = order.slice(order.indexOf('alan'), order.lastIndexOf('alan') + 1)
    expect(longestRun(shared)).toBeLessThanOrEqual(2)
    expect(order.indexOf('alan')).toBeLessThanOrEqual(4)
  }, 300_000)
})

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
