import { setTimeout as pause } from 'node:timers/promises'
import type { Task } from '../../contract/api/api.ts'
import type { TaskStatus } from '../../contract/api/status.ts'
import { waitFor } from '../support/checks/wait.ts'
import type { Random } from '../support/scripted/random.ts'
import { promptOf } from './workload.ts'
import type { World } from './world.ts'

/** A task that the server accepted. */
export type Sent = { name: string; id: string; deserves: readonly TaskStatus[]; oneAttempt: boolean }

const ACCEPTED_MS = 90_000
const AGAIN_MS = 250
const ENDED_MS = 300_000

/** Sends a task until the server accepts it, as the phone's outbox does: with the same `clientId`, through every outage. */
export async function sendTask(world: World, name: string, oneAttempt: boolean): Promise<Sent> {
  const body = { repoUrl: world.repository.url, prompt: promptOf(name), clientId: `faults-${name}` }
  const deadline = performance.now() + ACCEPTED_MS
  for (;;) {
    const answer = await world.system.api<Task>('/api/tasks', { method: 'POST', body }).catch(() => null)
    if (answer?.status === 201 || answer?.status === 200) {
      world.recorder.follow(answer.body.id)
      return { name, id: answer.body.id, deserves: ['completed'], oneAttempt }
    }
    if (answer && answer.status < 500 && answer.status !== 429)
      throw new Error(`POST /api/tasks: ${answer.status} ${JSON.stringify(answer.body)}`)
    if (performance.now() > deadline) throw new Error(`the server took no task for ${ACCEPTED_MS} ms`)
    await pause(AGAIN_MS)
  }
}

/** Sends one `task:cancel` over HTTP. A task whose cancel was accepted deserves that end, and no other. */
export async function cancelTask(world: World, task: Sent): Promise<void> {
  const answer = await world.system.api(`/api/tasks/${task.id}/cancel`, { method: 'POST' }).catch(() => null)
  world.note(`cancel of ${task.name}: ${answer?.status ?? 'no answer'}`)
  // Without an answer, nobody knows whether it was accepted.
  if (!answer) task.deserves = ['completed', 'cancelled']
  else if (answer.status === 202 || answer.status === 200) task.deserves = ['cancelled']
}

/** Waits until one of these tasks has got to a point that chance names, or has ended. */
export async function atSomePoint(world: World, tasks: readonly Sent[], random: Random): Promise<void> {
  const task = tasks[random.between(0, tasks.length - 1)] as Sent
  const events = random.between(3, 24)
  await waitFor(`event ${events} of ${task.name}`, () => hasEnded(world, task) || seenOf(world, task) >= events, ENDED_MS)
  await pause(random.between(0, 400))
}

/** @throws Error with what the processes logged last, if one of them does not end */
export async function allEnded(world: World, tasks: readonly Sent[]): Promise<void> {
  for (const task of tasks) await waitFor(`${task.name} (${task.id}) to end`, () => hasEnded(world, task), ENDED_MS)
}

export function hasEnded({ recorder }: World, { id }: Sent): boolean {
  return recorder.events(id).at(-1)?.type === 'task.ended'
}

function seenOf({ recorder }: World, { id }: Sent): number {
  return recorder.events(id).length
}
