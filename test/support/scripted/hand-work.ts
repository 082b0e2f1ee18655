import type { NewEvent } from '../../../contract/api/event.ts'
import type { Outcome } from '../../../contract/api/status.ts'
import { RENEW_EVERY_MS } from '../../../contract/wire/deadlines.ts'
import { waitFor } from '../checks/wait.ts'
import { createClient } from '../systems/client.ts'
import type { TestCoordinator } from '../systems/coordinator.ts'
import { attemptEnded } from './scripted-lines.ts'
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

export type HandWork = Awaited<ReturnType<typeof createHandWork>>

/** Takes the place of every runner: it leases the tasks that the test begins, and does exactly what the test tells it. */
export async function createHandWork(server: Pick<TestCoordinator, 'url' | 'redisUrl' | 'ownerToken' | 'runnerToken'>) {
  const runner = await createScriptedRunner(server.redisUrl)
  const calls = runnerCalls(server.url, server.runnerToken)
  const leased = new Map<string, { taskId: string; attempt: number }>()
  // The next beat asks a server again that was away for a moment.
  const heart = setInterval(() => void calls.renew([...leased.values()]).catch(() => undefined), RENEW_EVERY_MS)
  const client = createClient(server.url, server.ownerToken)
  const begin = async (prompt: string): Promise<HandTask> => {
    const { id } = await client.send({ repoUrl: client.demoRepoUrl, prompt })
    const lease = await calls.lease(await runner.job(id))
    leased.set(id, { taskId: id, attempt: lease.attempt })
    let n = 0
    const say = async (...events: NewEvent[]) => {
      n += events.length
      await runner.deliver(lease, n - events.length + 1, ...events)
    }
    return {
      id,
      say,
      sayDelta: (offset, text) => runner.sendDelta(lease, offset, text),
      end: async (outcome = 'completed') => {
        const reason = outcome === 'completed' ? 'done' : 'stuck'
        leased.delete(id)
        await say(attemptEnded(outcome, reason))
        await waitFor('the end of the task', async () => (await client.task(id)).completedAt !== null)
      },
    }
  }
  return {
    api: client.ask,
    begin,
    close: async () => {
      clearInterval(heart)
      await runner.close()
    },
  }
}
