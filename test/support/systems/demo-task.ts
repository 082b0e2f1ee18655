import { join } from 'node:path'
import { expect } from '@jest/globals'
import { execa } from 'execa'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { expectWhole } from '../checks/event-list.ts'
import { storedTask } from '../checks/traces.ts'
import { waitFor } from '../checks/wait.ts'
import type { System } from './system.ts'
import { temporaryFolder } from './temporary.ts'

/** How long the demo task may take, also when it is tried again. */
export const PATIENCE_MS = 180_000

/** Sends the demo task, and returns once the agent is in the middle of it. */
export async function inTheMiddle(system: System): Promise<string> {
  const { demoRepoUrl } = (await system.api<{ demoRepoUrl: string }>('/api/me')).body
  const task = await system.send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test' })
  await waitFor('the agent to run the tests', async () => ranTests(await system.events(task.id)), 60_000, 100)
  return task.id
}

function ranTests(events: readonly TaskEvent[]): boolean {
  return events.some((event) => event.type === 'tool.started' && JSON.stringify(event.data.input).includes('npm test'))
}

/** Fails unless the agent is still at its first attempt's turn, as the store has it. After a kill: unless it came in the middle of the work. */
export function expectUnderWay({ dataDir }: System, taskId: string): void {
  const { status, attempt, eventTypes } = storedTask(dataDir, taskId)
  expect({ status, attempt }).toEqual({ status: 'running', attempt: 1 })
  expect(eventTypes).toContain('turn.started')
  expect(eventTypes).not.toContain('turn.ended')
}

/** Fails unless the task completed with a whole list of events and a branch that passes the tests. */
export async function endedWell(system: System, taskId: string): Promise<TaskEvent[]> {
  const task = await system.ended(taskId, PATIENCE_MS)
  const events = await system.events(taskId)
  expect({ status: task.status, reason: task.reason, error: task.error }).toEqual({
    status: 'completed',
    reason: 'done',
    error: null,
  })
  expectWhole(events)
  await expectMended(system.dataDir, task.branch)
  return events
}

/** Fails unless the branch, cloned fresh from the demo repository, passes the repository's own tests. */
export async function expectMended(dataDir: string, branch: string): Promise<void> {
  const folder = await temporaryFolder()
  try {
    const clone = join(folder.path, 'clone')
    await execa('git', ['clone', '--quiet', '--branch', branch, join(dataDir, 'demo', 'hello.git'), clone])
    const { NODE_OPTIONS: _, ...environment } = process.env
    const { exitCode, stdout } = await execa('npm', ['test'], { cwd: clone, env: environment, extendEnv: false, reject: false })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('fail 0') })
  } finally {
    await folder.remove()
  }
}
