import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { RENEW_EVERY_MS } from '../../contract/wire/deadlines.ts'
import { CONTRACT_VERSION, type RenewAnswer, type RunnerIdentity, type Unwell } from '../../contract/wire/lease.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import { startRepeating } from '../process/repeat.ts'
import type { CoordinatorClient } from './coordinator-client.ts'

/** The heartbeat that keeps the leases of this runner, and the fences that wait for its answers. */
export type Renewals = {
  /**
   * Asks whether the attempt is still ours: the fence before an effect. It asks again while nobody answers.
   * @throws Error when `gone` aborts before there is an answer
   */
  confirm: (taskId: string, attempt: number, gone: AbortSignal) => Promise<boolean>
  /**
   * Waits while the lease has run out, until it is renewed: the fence before money is spent, because another attempt may own that money now.
   * @returns false when `gone` aborts first, or when it took longer than `atMostMs`
   */
  awaitLease: (taskId: string, attempt: number, gone: AbortSignal, atMostMs: number) => Promise<boolean>
  /** Renews now, for news that should not wait for the next beat. */
  announce: () => void
  /** Whether the coordinator gives this runner no new attempts: it is too old, or is being taken out of service. */
  isRetired: () => boolean
  stop: () => Promise<void>
}

/** Why an attempt must not go on here: a person cancelled it, it is no longer ours, or this runner hands it over. */
export type LeaseCause = 'cancelled' | 'lost' | 'runner_stopped'

/** One attempt as its renewals see it. */
export type LeasedAttempt = {
  taskId: string
  attempt: number
  /** Null: this process never had the lease, so there is nothing to renew. */
  lease: KeptLease | null
  mailbox: { put: (messages: readonly SteerMessage[]) => void }
  allowance?: { ofTask: (taskBudgetUsd: number) => void }
  delivery: { expectNoAnswer: () => void } | null
  stop: { because: (cause: LeaseCause) => void } | null
}

/** The attempt is ours for `leaseMs`, counted from the request: its answer may have been long on its way. */
export type KeptLease = { askedAt: Moment; leaseMs: number }

/** On two clocks: the wall clock, which somebody can set, and a steady one, which stands still while the machine sleeps. */
type Moment = { wallMs: number; steadyMs: number }

type Options = {
  client: Pick<CoordinatorClient, 'renew'>
  runner: RunnerIdentity
  attempts: { list: () => LeasedAttempt[] }
  /** What is wrong with this host; every renewal reports it. */
  unwell?: () => Unwell | undefined
  log: Logger
  everyMs?: number
}

type Answer = RenewAnswer['attempts'][number]

const OUTDATED =
  'the coordinator is newer than this runner and gives it no new tasks; the running ones go on. Update Errand on this host, and start the runner again'
/** How soon a fence before an effect asks again when the coordinator does not answer. */
const ASK_AGAIN_MS = 500
/** How soon a fence before money looks again at a lease that ran out. */
const LOOK_AGAIN_MS = 200

/**
 * Renews all leases in one call every {@link RENEW_EVERY_MS}, also when there are none. While the coordinator does not answer, the
 * attempts go on, except where they wait at a fence: only the coordinator's word ends an attempt.
 */
export function startRenewals(options: Options): Renewals {
  const { attempts, everyMs = RENEW_EVERY_MS, log } = options
  let why: 'outdated' | 'draining' | null = null
  const renew = createRenew(options, ({ oldestContract = 0, drain }) => {
    const before = why
    why = oldestContract > CONTRACT_VERSION ? 'outdated' : drain ? 'draining' : null
    if (why === 'outdated' && before !== why) log.error({ event: 'runner.outdated' }, OUTDATED)
    if (why === 'draining' && before !== why) log.info({ event: 'runner.draining', how: drain })
    if (before !== null && why === null) log.info({ event: 'runner.serves_again' })
    if (drain === 'hand_over') for (const one of attempts.list()) one.stop?.because('runner_stopped')
  })
  const beat = startRepeating(renew, everyMs, 0)
  return {
    confirm: async (taskId, attempt, gone) => {
      while (!gone.aborted) {
        // An answer may take ten seconds: do not wait for it any longer than the caller does.
        const answers = await Promise.race([renew(), whenAborted(gone)])
        if (answers) return answers.some((answer) => isAbout(answer, taskId, attempt) && isCurrent(answer))
        await rest(ASK_AGAIN_MS, gone)
      }
      throw new Error('the coordinator did not answer in time')
    },
    awaitLease: async (taskId, attempt, gone, atMostMs) => {
      const since = now()
      const isOurs = (one: LeasedAttempt) => isAbout(one, taskId, attempt) && one.lease !== null && !hasRunOut(one.lease)
      while (!gone.aborted) {
        if (attempts.list().some(isOurs)) return true
        if (msSince(since) >= atMostMs) return false
        await rest(LOOK_AGAIN_MS, gone)
      }
      return false
    },
    announce: () => void renew(),
    isRetired: () => why !== null,
    stop: beat.stop,
  }
}

/** @returns a lease that begins now */
export function keepLease(leaseMs: number): KeptLease {
  return { askedAt: now(), leaseMs }
}

/** @returns what renews every lease once, and gives the answers; null when the coordinator did not answer */
function createRenew(
  { client, runner, attempts, unwell, log }: Options,
  onAnswer: (answer: RenewAnswer) => void,
): () => Promise<Answer[] | null> {
  let reachable = true
  return async () => {
    const askedAt = now()
    try {
      const leased = attempts.list().filter(({ lease }) => lease !== null)
      const answer = await client.renew({
        runner: { ...runner, unwell: unwell?.() },
        attempts: leased.map(({ taskId, attempt }) => ({ taskId, attempt })),
      })
      if (!reachable) log.info({ event: 'coordinator.back' })
      reachable = true
      onAnswer(answer)
      for (const each of answer.attempts)
        for (const one of attempts.list()) if (isAbout(one, each.taskId, each.attempt)) heed(one, each, askedAt)
      return answer.attempts
    } catch (error) {
      if (reachable) log.warn({ event: 'coordinator.unreachable', err: error })
      reachable = false
      return null
    }
  }
}

function heed(one: LeasedAttempt, { state, leaseMs, messages, taskBudgetUsd }: Answer, askedAt: Moment): void {
  if (one.lease) one.lease = { askedAt, leaseMs }
  one.mailbox.put(messages)
  if (taskBudgetUsd !== undefined) one.allowance?.ofTask(taskBudgetUsd)
  if (state === 'unknown') one.delivery?.expectNoAnswer()
  if (state !== 'leased') one.stop?.because(state === 'cancel' ? 'cancelled' : 'lost')
}

function isAbout(one: { taskId: string; attempt: number }, taskId: string, attempt: number): boolean {
  return one.taskId === taskId && one.attempt === attempt
}

/** A cancelled attempt is still the current one, and its effects count. */
function isCurrent({ state }: Answer): boolean {
  return state === 'leased' || state === 'cancel'
}

function hasRunOut({ askedAt, leaseMs }: KeptLease): boolean {
  return msSince(askedAt) >= leaseMs
}

function now(): Moment {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/** The longer of the two clocks' answers: whatever happened to one of them, no lease that ran out counts as running. */
function msSince({ wallMs, steadyMs }: Moment): number {
  return Math.max(Date.now() - wallMs, performance.now() - steadyMs)
}

function whenAborted(signal: AbortSignal): Promise<null> {
  return new Promise((done) => signal.addEventListener('abort', () => done(null), { once: true }))
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined)
}
