import type { Task } from '../../../contract/api/api.ts'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { Outcome } from '../../../contract/api/status.ts'
import { RENEW_EVERY_MS } from '../../../contract/wire/deadlines.ts'
import { waitFor } from '../checks/wait.ts'
import type { TestCoordinator } from '../systems/coordinator.ts'
import { createScriptedRunner, runnerCalls } from './scripted-runner.ts'

/** A task that a test works on by hand, through the real river and without a container. */
export type HandTask = {
  id: string
  say: (...events: NewEvent[]) => Promise<void>
  /** @param offset characters since the last `text.written` */
  sayDelta: (offset: number, text: string) => Promise<void>
  /** Ends the turn, and waits until the server has recorded it. */
  end: (outcome?: Extract<Outcome, 'completed' | 'failed'>) => Promise<void>
}

/** Takes the place of every runner: it leases the tasks that the test begins, and does exactly what the test tells it. */
export async function createHandWork(redisUrl: string, server: Pick<TestCoordinator, 'url' | 'ownerToken' | 'runnerToken'>) {
  const runner = await createScriptedRunner(redisUrl)
  const calls = runnerCalls(server.url, server.runnerToken)
  const leased = new Map<string, { taskId: string; attempt: number }>()
  // The next beat asks a server again that was away for a moment.
  const heart = setInterval(() => void calls.renew([...leased.values()]).catch(() => undefined), RENEW_EVERY_MS)
  const api = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(server.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${server.ownerToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  const begin = async (prompt: string): Promise<HandTask> => {
    const { id } = await api<Task>('/api/tasks', { repoUrl: `${server.url}/demo/git/hello.git`, prompt })
    const answer = await calls.lease(await runner.job(id))
    if (!answer.granted) throw new Error(`refused: ${answer.refusal}`)
    const { lease } = answer
    leased.set(id, { taskId: id, attempt: lease.attempt })
    let n = 0
    const say = async (...events: NewEvent[]) => {
      for (const event of events) await runner.send(lease, ++n, event)
      await waitFor(`event ${n} to be stored`, () => runner.acknowledged(lease) >= n, 30_000)
    }
    return {
      id,
      say,
      sayDelta: (offset, text) => runner.sendDelta(lease, offset, text),
      end: async (outcome = 'completed') => {
        const reason = outcome === 'completed' ? 'done' : 'stuck'
        leased.delete(id)
        await say({ type: 'attempt.ended', data: { outcome, reason, message: null } })
        await waitFor('the end of the task', async () => (await api<Task>(`/api/tasks/${id}`)).completedAt !== null)
      },
    }
  }
  return {
    api,
    begin,
    close: async () => {
      clearInterval(heart)
      await runner.close()
    },
  }
}
