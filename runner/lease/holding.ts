import type { Logger } from 'pino'
import { RENEW_EVERY_MS } from '../../contract/wire/deadlines.ts'
import type { Lease, RenewAnswer, RunnerIdentity, Unwell } from '../../contract/wire/lease.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import type { CoordinatorClient } from './coordinator-client.ts'

/** Why an attempt is not to go on: a person cancelled it, or it is no longer ours. */
export type LeaseCause = 'cancelled' | 'lost'

export type Hold = {
  /** Aborts with a {@link LeaseCause} as its reason. */
  signal: AbortSignal
  /** Aborts when the coordinator does not know the attempt, also after it was cancelled: nothing of it will be answered any more. */
  over: AbortSignal
  /** What another way told about this attempt. */
  cancelled: () => void
  lost: () => void
  release: () => void
}

/** The attempts that this runner holds, kept alive by one heartbeat for all. */
export type Holding = {
  /** @param onMessages gets what waits for the attempt's agent, at every renewal */
  hold: (lease: Pick<Lease, 'taskId' | 'attempt' | 'leaseMs'>, onMessages: (messages: readonly SteerMessage[]) => void) => Hold
  /**
   * Asks whether the attempt is still ours: the fence before an effect. While nobody answers it asks again.
   * @throws Error when `gone` aborts before there is an answer
   */
  confirm: (taskId: string, attempt: number, gone: AbortSignal) => Promise<boolean>
  /**
   * Waits while the lease has run out, until it is renewed: the fence before money is spent, which another attempt may have been given.
   * @returns false when `gone` aborts first, or it took longer than `atMostMs`
   */
  awaitLease: (taskId: string, attempt: number, gone: AbortSignal, atMostMs: number) => Promise<boolean>
  /** Renews now, for news that should not wait for the next beat. */
  announce: () => void
  stop: () => Promise<void>
}

/** How soon a coordinator that does not answer is asked again before an effect. */
const ASK_AGAIN_MS = 500
/** How soon a lease that ran out is looked at again. */
const LOOK_AGAIN_MS = 200

/** On both clocks: the wall's, which can be set, and one that only runs on, but stands still while the machine sleeps. */
type Moment = { wallMs: number; steadyMs: number }

type Held = {
  taskId: string
  attempt: number
  abort: AbortController
  over: AbortController
  onMessages: (messages: readonly SteerMessage[]) => void
  /** It is ours for `leaseMs` from when it was asked for: the answer may have been long on its way. */
  asked: Moment
  leaseMs: number
}

/**
 * Renews everything held in one call every {@link RENEW_EVERY_MS}, also when that is nothing. While the coordinator does not answer,
 * the work goes on, but for what waits at a fence: only its word ends an attempt.
 */
export function startHolding(options: {
  client: CoordinatorClient
  runner: RunnerIdentity
  /** What is wrong with this host, told with every renewal. */
  unwell?: () => Unwell | undefined
  log: Logger
  everyMs?: number
}): Holding {
  const { client, runner, unwell = () => undefined, log, everyMs = RENEW_EVERY_MS } = options
  const held = new Set<Held>()
  const stopped = new AbortController()
  let reachable = true

  const renew = async (): Promise<RenewAnswer['attempts'] | null> => {
    const asked = now()
    try {
      const attempts = [...held].map(({ taskId, attempt }) => ({ taskId, attempt }))
      const answer = await client.renew({ runner: { ...runner, unwell: unwell() }, attempts })
      if (!reachable) log.info({ event: 'coordinator.back' })
      reachable = true
      for (const word of answer.attempts) heed(word, asked)
      return answer.attempts
    } catch (error) {
      if (reachable) log.warn({ event: 'coordinator.unreachable', err: error })
      reachable = false
      return null
    }
  }

  const heed = ({ taskId, attempt, state, leaseMs, messages }: RenewAnswer['attempts'][number], asked: Moment) => {
    for (const one of held) {
      if (one.taskId !== taskId || one.attempt !== attempt) continue
      Object.assign(one, { asked, leaseMs })
      one.onMessages(messages)
      if (state === 'unknown') one.over.abort()
      if (state !== 'held') end(one, state === 'cancel' ? 'cancelled' : 'lost')
    }
  }

  const end = ({ taskId, attempt, abort }: Held, cause: LeaseCause) => {
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
    hold: ({ taskId, attempt, leaseMs }, onMessages) => {
      const [abort, over] = [new AbortController(), new AbortController()]
      const mine: Held = { taskId, attempt, onMessages, abort, over, asked: now(), leaseMs }
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
        const answers = await Promise.race([renew(), aborted(gone)])
        if (answers) return answers.some((word) => word.taskId === taskId && word.attempt === attempt && isHeld(word))
        await pause(ASK_AGAIN_MS, gone)
      }
      throw new Error('the coordinator did not answer in time')
    },
    awaitLease: async (taskId, attempt, gone, atMostMs) => {
      const since = now()
      const isOurs = (one: Held) => one.taskId === taskId && one.attempt === attempt && msSince(one.asked) < one.leaseMs
      while (!gone.aborted) {
        if ([...held].some(isOurs)) return true
        if (msSince(since) >= atMostMs) return false
        await pause(LOOK_AGAIN_MS, gone)
      }
      return false
    },
    announce: () => void renew(),
    stop: async () => {
      stopped.abort()
      await beating
    },
  }
}

/** Cancelled or not: it is the current attempt, and what it does counts. */
function isHeld({ state }: RenewAnswer['attempts'][number]): boolean {
  return state === 'held' || state === 'cancel'
}

function now(): Moment {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/** The longer of what the two clocks say: whatever happened to either, no lease is held for running that has run out. */
function msSince({ wallMs, steadyMs }: Moment): number {
  return Math.max(Date.now() - wallMs, performance.now() - steadyMs)
}

/** Settles, with null, when the signal aborts: an answer may be ten seconds in coming, and nobody waits for it any more. */
function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((done) => signal.addEventListener('abort', () => done(null), { once: true }))
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      done()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish)
    if (signal.aborted) finish()
  })
}
