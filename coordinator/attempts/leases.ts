import type { Logger } from 'pino'
import { firstModelWaitMs, LEASE_MS, LEASE_RETRY_MS } from '../../contract/wire/deadlines.ts'
import {
  type HeldAttempt,
  type Lease,
  type LeaseAnswer,
  type LeaseRequest,
  OLDEST_CONTRACT,
  type RenewAnswer,
  type RenewRequest,
  type ResumeAnswer,
  type ResumeRequest,
} from '../../contract/wire/lease.ts'
import type { Config } from '../process/config.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { Refusal as Refused } from '../process/errors.ts'
import { type AttemptRow, findAttempt, insertAttempt, readParked, updateAttempt } from '../store/attempts.ts'
import { type Addition, appendEvents, costOfAttempt } from '../store/events.ts'
import { findMessage, listWaitingMessages, updateMessage } from '../store/inbox.ts'
import type { Ledger, RecordChange } from '../store/ledger.ts'
import { isModelAway } from '../store/line.ts'
import { readDraining, seeRunner } from '../store/runners.ts'
import type { Store } from '../store/sqlite/database.ts'
import { findTask, moveTask, type TaskRow } from '../store/tasks.ts'
import type { Signatures } from '../wire/signatures.ts'
import { earlierPushes } from './earlier-pushes.ts'
import type { LeaseSecrets } from './lease-secrets.ts'
import { type Conversation, conversationOf, isWaitingSteer } from './turn-conversation.ts'

/** Decides which runner works on which turn. */
export type Leases = {
  /** Grants a lease and gives the attempt its number. If several runners ask for the same turn, one gets it. */
  grant: (request: LeaseRequest) => Promise<LeaseAnswer>
  /** Gives the lease of an attempt again to its runner, which was restarted while the sandbox ran on. */
  resume: (request: ResumeRequest) => Promise<ResumeAnswer>
  /** Also the runner's heartbeat. */
  renew: (request: RenewRequest) => Promise<RenewAnswer>
  /** @throws Refusal `forbidden` for a caller that does not prove that it holds this attempt */
  requireHolder: (held: HeldAttempt) => Promise<void>
}

export type LeaseParts = {
  config: Config
  db: Store
  ledger: Ledger
  signatures: Signatures
  secretsFor: LeaseSecrets
  disk: DiskSpace
  log: Logger
  /** A runner connected, or its number of slots changed. */
  onRunner: () => void
}

export function createLeases(parts: LeaseParts): Leases {
  return {
    grant: (request) => grant(parts, request),
    resume: (request) => resume(parts, request),
    renew: (request) => renew(parts, request),
    requireHolder: async (held) => {
      const attempt = await findAttempt(parts.db, held.taskId, held.attempt)
      if (attempt && !isHeldBy(parts, attempt, held))
        throw new Refused('forbidden', 'This runner does not hold the attempt: the proof of its lease is missing or wrong.')
    },
  }
}

async function grant(parts: LeaseParts, { job, runner }: LeaseRequest): Promise<LeaseAnswer> {
  const { db, ledger, signatures, log } = parts
  if (!signatures.isOurJob(job)) return refuse('unknown')
  if (isOutdated(runner)) return refuse('outdated', NOT_HERE_RETRY_MS)
  if (await readDraining(db, runner.id)) return refuse('draining', NOT_HERE_RETRY_MS)
  const task = await findTask(db, job.taskId)
  if (!task) return refuse('unknown')
  if (task.status === 'pending' && (await parts.disk.look()).low) return refuse('no_room', NO_ROOM_RETRY_MS)
  // Before the transaction: a failure after it would leave an attempt without a runner.
  const access = await parts.secretsFor(task)
  const now = Date.now()
  const { isNews, taken } = await ledger.write(async (tx, record) => {
    const isNews = await seeRunner(tx, runner, now)
    const row = await take(tx, record, job, runner, now)
    if ('refusal' in row) return { isNews, taken: row }
    const { inRow: parkedBefore } = await readParked(tx, row.id, row.turn)
    const earlier = { parkedBefore, pushed: await earlierPushes(tx, row) }
    const onlyLooks = parkedBefore > 0 || (await isModelAway(tx, row.model, now))
    return { isNews, taken: { row, earlier, onlyLooks, conversation: await conversationOf(tx, row) } }
  })
  if (isNews) parts.onRunner()
  if ('refusal' in taken) return taken
  const { row, conversation, earlier, onlyLooks } = taken
  log.info({ event: 'attempt.started', taskId: row.id, attempt: row.attempt, turn: row.turn, runner: runner.id })
  const lease = { ...leaseOf(row, conversation, access, parts), ...earlier }
  if (onlyLooks) lease.assignment.firstModelWaitMs = firstModelWaitMs(parts.config.modelWaitMs)
  return { granted: true, lease }
}

async function resume(parts: LeaseParts, { held, runner }: ResumeRequest): Promise<ResumeAnswer> {
  const { db, ledger, log } = parts
  const { taskId, attempt: number } = held
  const before = await findTask(db, taskId)
  if (!before || before.attempt !== number) return { granted: false }
  const access = await parts.secretsFor(before)
  const now = Date.now()
  const resumed = await ledger.write(async (tx) => {
    const row = await findTask(tx, taskId)
    const attempt = await findAttempt(tx, taskId, number)
    const isTheirs = attempt?.runner_id === runner.id && attempt.ended_at === null && isHeldBy(parts, attempt, held)
    if (!isTheirs || row?.attempt !== number) return null
    await updateAttempt(tx, attempt, { lease_until: now + LEASE_MS })
    // The budget of an attempt is what was left when it began: its runner itself counts what it has spent since.
    const atItsStart = { ...row, cost_usd: row.cost_usd - (await costOfAttempt(tx, taskId, number)) }
    return { row: atItsStart, pushed: await earlierPushes(tx, row), conversation: await conversationOf(tx, row) }
  })
  if (!resumed) return { granted: false }
  const { row, pushed, conversation } = resumed
  log.info({ event: 'attempt.resumed', taskId, attempt: number, runner: runner.id })
  return { granted: true, lease: { ...leaseOf(row, conversation, access, parts), parkedBefore: 0, pushed } }
}

function isOutdated({ contract = 0 }: LeaseRequest['runner']): boolean {
  return contract < OLDEST_CONTRACT
}

function isHeldBy({ signatures }: LeaseParts, attempt: AttemptRow, held: HeldAttempt): boolean {
  return attempt.proven === 0 || signatures.isHolder(held)
}

async function renew(parts: LeaseParts, { runner, attempts }: RenewRequest): Promise<RenewAnswer> {
  const now = Date.now()
  const { isNews, answers } = await parts.ledger.write(async (tx) => {
    const answers: RenewAnswer['attempts'] = []
    const isNews = await seeRunner(tx, runner, now)
    for (const held of attempts) {
      const { taskId, attempt } = held
      const state = await renewOne(parts, tx, runner.id, held, now)
      const taskBudgetUsd = state === 'leased' ? (await findTask(tx, taskId))?.budget_usd : undefined
      const messages = state === 'leased' ? await waitingFor(tx, taskId) : []
      answers.push({
        taskId,
        attempt,
        state,
        leaseMs: state === 'leased' || state === 'cancel' ? LEASE_MS : 0,
        messages,
        taskBudgetUsd,
      })
    }
    return { isNews, answers }
  })
  if (isNews) parts.onRunner()
  const drain = await readDraining(parts.db, runner.id)
  return { attempts: answers, oldestContract: OLDEST_CONTRACT, ...(drain && { drain }) }
}

type Refusal = Extract<LeaseAnswer, { granted: false }>

/** A turn is not parked for less than this: the clocks of two hosts differ. */
const NEARLY_MS = 1_000
/** How soon a runner that gets no new turns may ask again. Meanwhile the queue offers the turn to others. */
const NOT_HERE_RETRY_MS = 5_000
/** How soon a runner asks again while the disk is full. */
const NO_ROOM_RETRY_MS = 5_000

function refuse(refusal: Refusal['refusal'], retryAfterMs: number = LEASE_RETRY_MS): Refusal {
  return { granted: false, refusal, retryAfterMs }
}

async function take(
  tx: Store,
  record: RecordChange,
  { taskId, turn }: LeaseRequest['job'],
  runner: LeaseRequest['runner'],
  now: number,
): Promise<TaskRow | Refusal> {
  const task = await findTask(tx, taskId)
  if (!task || turn > task.turn) return refuse('unknown')
  if (turn < task.turn) return refuse('ended')
  if (task.status === 'cancelled') return refuse('cancelled')
  if (task.status === 'completed' || task.status === 'failed') return refuse('ended')
  // Even if this very runner has the lease: it was restarted, and its old attempt must be settled first.
  if (task.status === 'running') return refuse('leased')

  const parkedMs = (task.waiting_until ?? 0) - now
  if (parkedMs > NEARLY_MS) return refuse('parked', parkedMs)

  const attempt = task.attempt + 1
  await insertAttempt(tx, {
    task_id: taskId,
    attempt,
    turn,
    runner_id: runner.id,
    runner_name: runner.name,
    last_n: 0,
    lease_until: now + LEASE_MS,
    proven: 1,
    started_at: now,
    ended_at: null,
    waiting_until: null,
    outcome: null,
    reason: null,
  })
  const { started_at, released_at } = task
  const times = { started_at: started_at ?? now, released_at: released_at ?? now, waiting_until: null }
  const change = { attempt, reason: null, error: null, ...times }
  const running = await moveTask(tx, task, 'running', 'lease', change, now)
  const started: Addition = { event: { type: 'attempt.started', data: { turn, runner: runner.name } }, attempt, n: null, at: now }
  const [events, told] = await appendEvents(tx, running, [...(await deliverPrompt(tx, running, now)), started])
  record(told, events)
  return told
}

/** The lease delivers the message that started the turn. @returns the event that reports this, for a message that had waited */
async function deliverPrompt(tx: Store, task: TaskRow, now: number): Promise<Addition[]> {
  const message = task.message_id === null ? undefined : await findMessage(tx, task.id, task.message_id)
  if (message?.state !== 'waiting') return []
  await updateMessage(tx, message, { state: 'delivered', turn: task.turn, delivered_at: now })
  if (message.mode === null) return []
  const data = { messageId: message.id, turn: task.turn }
  return [{ event: { type: 'message.delivered', data }, attempt: 0, n: null, at: now }]
}

async function waitingFor(tx: Store, taskId: string): Promise<RenewAnswer['attempts'][number]['messages']> {
  return (await listWaitingMessages(tx, taskId)).filter(isWaitingSteer).map(({ id, text }) => ({ messageId: id, text }))
}

async function renewOne(
  parts: LeaseParts,
  tx: Store,
  runnerId: string,
  held: HeldAttempt,
  now: number,
): Promise<RenewAnswer['attempts'][number]['state']> {
  const { taskId } = held
  const attempt = await findAttempt(tx, taskId, held.attempt)
  if (attempt?.runner_id !== runnerId || !isHeldBy(parts, attempt, held)) return 'unknown'
  if (attempt.ended_at !== null) return 'lost'
  await updateAttempt(tx, attempt, { lease_until: now + LEASE_MS })
  return (await findTask(tx, taskId))?.cancel_requested_at == null ? 'leased' : 'cancel'
}

function leaseOf(
  row: TaskRow,
  { messages, ...begun }: Conversation,
  access: Lease['access'],
  parts: LeaseParts,
): Omit<Lease, 'parkedBefore' | 'pushed'> {
  return {
    assignment: {
      ...begun,
      taskId: row.id,
      attempt: row.attempt,
      turn: row.turn,
      messageId: row.message_id,
      repoUrl: row.repo_url,
      baseBranch: row.base_branch,
      branch: row.branch,
      model: row.model,
      effort: row.effort,
      budgetUsd: Math.max(0, row.budget_usd - row.cost_usd),
      timeLimitMs: parts.config.timeLimitMs,
      modelWaitMs: parts.config.modelWaitMs,
    },
    access,
    signingKey: parts.signatures.attemptKey(row.id, row.attempt),
    leaseMs: LEASE_MS,
    taskBudgetUsd: row.budget_usd,
    messages,
  }
}
