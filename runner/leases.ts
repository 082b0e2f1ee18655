import type { Logger } from 'pino'
import { RENEW_EVERY_MS, type RenewAnswer, type RunnerIdentity } from '../contract/lease.ts'
import type { SteerMessage } from '../contract/sandbox.ts'
import type { CoordinatorClient } from './coordinator-client.ts'

/** Why an attempt is not to go on: a person cancelled it, or it is no longer ours. */
export type LeaseCause = 'cancelled' | 'lost'

export type Hold = {
  /** Aborts with a {@link LeaseCause} as its reason. */
  signal: AbortSignal
  /** Aborts when the attempt is lost, also after it was cancelled: nothing of it will be taken any more. */
  over: AbortSignal
  /** What another way told about this attempt. */
  cancelled: () => void
  lost: () => void
  release: () => void
}

/** The attempts that this runner holds, kept alive by one heartbeat for all. */
export type Holding = {
  /** @param onMessages gets what waits for the attempt's agent, at every renewal */
  hold: (taskId: string, attempt: number, onMessages: (messages: readonly SteerMessage[]) => void) => Hold
  /**
   * Asks whether the attempt is still ours: the fence before an effect. While nobody answers it asks again.
   * @throws Error when `gone` aborts before there is an answer
   */
  confirm: (taskId: string, attempt: number, gone: AbortSignal) => Promise<boolean>
  stop: () => Promise<void>
}

/** How soon a coordinator that does not answer is asked again before an effect. */
const ASK_AGAIN_MS = 500

type Held = {
  taskId: string
  attempt: number
  abort: AbortController
  over: AbortController
  onMessages: (messages: readonly SteerMessage[]) => void
}

/**
 * Renews everything held in one call every {@link RENEW_EVERY_MS}, also when that is nothing. While the coordinator does not answer,
 * the work goes on: only its word ends an attempt.
 */
export const startHolding = (options: {
  client: CoordinatorClient
  runner: RunnerIdentity
  log: Logger
  everyMs?: number
}): Holding => {
  const { client, runner, log, everyMs = RENEW_EVERY_MS } = options
  const held = new Set<Held>()
  const stopped = new AbortController()
  let reachable = true

  const renew = async (): Promise<RenewAnswer['attempts'] | null> => {
    try {
      const attempts = [...held].map(({ taskId, attempt }) => ({ taskId, attempt }))
      const answer = await client.renew({ runner, attempts })
      if (!reachable) log.info({ event: 'coordinator.back' })
      reachable = true
      for (const word of answer.attempts) heed(word)
      return answer.attempts
    } catch (error) {
      if (reachable) log.warn({ event: 'coordinator.unreachable', err: error })
      reachable = false
      return null
    }
  }

  const heed = ({ taskId, attempt, state, messages }: RenewAnswer['attempts'][number]) => {
    for (const one of held) {
      if (one.taskId !== taskId || one.attempt !== attempt) continue
      one.onMessages(messages)
      if (state !== 'held') end(one, state === 'cancel' ? 'cancelled' : 'lost')
    }
  }

  const end = ({ taskId, attempt, abort, over }: Held, cause: LeaseCause) => {
    if (cause === 'lost') over.abort()
    if (abort.signal.aborted) return
    log.info({ event: `lease.${cause}`, taskId, attempt })
    abort.abort(cause)
  }

  const heartbeat = async () => {
    while (!stopped.signal.aborted) {
      await renew()
      await pause(everyMs, stopped.signal)
    }
  }
  const beating = heartbeat()

  return {
    hold: (taskId, attempt, onMessages) => {
      const mine: Held = { taskId, attempt, onMessages, abort: new AbortController(), over: new AbortController() }
      held.add(mine)
      return {
        signal: mine.abort.signal,
        over: mine.over.signal,
        cancelled: () => end(mine, 'cancelled'),
        lost: () => end(mine, 'lost'),
        release: () => held.delete(mine),
      }
    },
    confirm: async (taskId, attempt, gone) => {
      while (!gone.aborted) {
        const answers = await renew()
        if (answers) return answers.some((word) => word.taskId === taskId && word.attempt === attempt && word.state !== 'lost')
        await pause(ASK_AGAIN_MS, gone)
      }
      throw new Error('the coordinator did not answer in time')
    },
    stop: async () => {
      stopped.abort()
      await beating
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      done()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
  })
