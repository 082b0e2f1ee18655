import type { Logger } from 'pino'
import { BELL_CHANNEL, EVENT_STREAM } from '../../contract/wire/names.ts'
import { isStoreTrouble } from '../process/errors.ts'
import { startLoop } from '../process/loop.ts'
import type { Ledger } from '../store/ledger.ts'
import type { RedisLinks } from '../wire/redis.ts'
import type { SendToRunner } from '../wire/send-to-runner.ts'
import type { Signatures } from '../wire/signatures.ts'
import { type Received, readEntry } from './stream-entry.ts'
import { type Taken, takeEvents } from './take-events.ts'

export type Intake = { stop: () => Promise<void> }

export type IntakeParts = {
  redis: RedisLinks
  ledger: Ledger
  signatures: Signatures
  sendToRunner: SendToRunner
  log: Logger
  /** An attempt ended: a slot is free, or a task is waiting again. */
  onEnded: () => void
  onBatch: (batch: { stored: number; durationMs: number }) => void
}

/** How many entries are read at a time and stored in one transaction. */
const PAGE = 500
/** Entries that arrive within this time are stored together, because each commit waits for the disk. */
const WINDOW_MS = 5
/** How often it looks without a bell, in case one was lost. */
const LOOK_EVERY_MS = 500

/**
 * Moves the runners' events from Redis into the store. It always reads from the stream's beginning: the stream contains only events that
 * are not stored yet, so no position can be wrong after Redis lost its memory. Entries are trimmed, acknowledged and emitted only after the
 * commit; the runner sends again whatever is lost before that.
 */
export async function startIntake(parts: IntakeParts): Promise<Intake> {
  const { redis, log } = parts
  const drain = async () => {
    while (redis.isReady() && (await takePage(parts)) === PAGE);
  }
  const loop = startLoop({
    work: drain,
    onError: (error) => log.error({ event: 'intake.failed', err: error }),
    everyMs: LOOK_EVERY_MS,
    gapMs: WINDOW_MS,
  })
  redis.commands.on('ready', loop.wake)
  const ignoreBell = await redis.listen(BELL_CHANNEL, loop.wake)
  loop.wake()

  return {
    stop: async () => {
      ignoreBell()
      redis.commands.off('ready', loop.wake)
      await loop.stop()
      await drain().catch((error) => log.warn({ event: 'intake.left_undrained', err: error }))
    },
  }
}

/** @returns how many entries there were */
async function takePage(parts: IntakeParts): Promise<number> {
  const page = await parts.redis.commands.xrange(EVENT_STREAM, '-', '+', 'COUNT', PAGE)
  const last = page.at(-1)
  if (!last) return 0
  const startedAt = performance.now()
  const received = page.flatMap(([, fields]) => read(fields, parts))
  const taken = await store(received, parts)
  parts.onBatch({ stored: taken.reduce((sum, { stored }) => sum + stored, 0), durationMs: performance.now() - startedAt })
  if (taken.some(({ ended }) => ended)) parts.onEnded()
  await Promise.all([
    parts.redis.commands.xtrim(EVENT_STREAM, 'MINID', following(last[0])),
    ...taken.map(({ runnerId, taskId, attempt, word }) => parts.sendToRunner(runnerId, taskId, attempt, word)),
  ])
  return page.length
}

function read(fields: string[], { signatures, log }: IntakeParts): Received[] {
  const received = readEntry(fields, signatures)
  if ('rejected' in received) {
    log.warn({ event: 'intake.rejected', why: received.rejected })
    return []
  }
  const { taskId, attempt, n, fault } = received
  if (fault !== null) log.error({ event: 'intake.unusable', taskId, attempt, n, why: fault })
  return [received]
}

/**
 * Stores all in one transaction. If that fails, each event gets its own transaction. An event that cannot be stored uses up its number and
 * is left out: without an acknowledgement its runner would send it forever.
 */
async function store(received: readonly Received[], { ledger, log }: IntakeParts): Promise<Taken[]> {
  const groups = [...groupBy(received, ({ taskId, attempt }) => `${taskId} ${attempt}`).values()] as [Received, ...Received[]][]
  const takeAll = (some: typeof groups): Promise<Taken[]> =>
    ledger.write(async (tx, record) => {
      const taken: Taken[] = []
      for (const entries of some) taken.push(...[await takeEvents(tx, record, entries)].filter((each) => each !== null))
      return taken
    })
  try {
    return await takeAll(groups)
  } catch (error) {
    if (isStoreTrouble(error)) throw error
    log.error({ event: 'intake.batch_failed', err: error })
  }
  const taken: Taken[] = []
  for (const entry of received) {
    try {
      taken.push(...(await takeAll([[entry]])))
    } catch (error) {
      if (isStoreTrouble(error)) throw error
      const { taskId, attempt, n } = entry
      log.error({ event: 'intake.event_failed', taskId, attempt, n, err: error })
      taken.push(...(await takeAll([[{ ...entry, event: null }]])))
    }
  }
  return taken
}

/** The id after this one: `XTRIM MINID` keeps ids that are equal or higher. */
function following(id: string): string {
  const [ms, sequence] = id.split('-')
  return `${ms}-${BigInt(sequence ?? 0) + 1n}`
}

/** Groups in the order in which each key first comes. (`Map.groupBy` needs Node 21.) */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
