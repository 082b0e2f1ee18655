import type { Logger } from 'pino'
import type { Delta } from '../../contract/api/event.ts'
import { DELTA_CHANNEL } from '../../contract/wire/names.ts'
import { DeltaBody, SignedMessage } from '../../contract/wire/river.ts'
import { findAttempt } from '../store/attempts.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { RedisLinks } from '../wire/redis.ts'
import type { Signatures } from '../wire/signatures.ts'

type Parts = {
  db: Store
  redis: RedisLinks
  signatures: Signatures
  log: Logger
  isWatched: (taskId: string) => boolean
  show: (delta: Delta) => void
}

/** How long the answer "this attempt is open" is trusted: deltas are only for display. */
const OPEN_FOR_MS = 1_000

/**
 * Passes text on to watching clients as the model writes it. It bypasses the store: text that is lost here arrives later as `text.written`.
 */
export async function startDeltas({ db, redis, signatures, log, isWatched, show }: Parts): Promise<{ stop: () => void }> {
  const openUntil = new Map<string, number>()
  const isOpen = async (taskId: string, attempt: number): Promise<boolean> => {
    const now = performance.now()
    const key = `${taskId} ${attempt}`
    if ((openUntil.get(key) ?? 0) > now) return true
    for (const [known, until] of openUntil) if (until <= now) openUntil.delete(known)
    const open = (await findAttempt(db, taskId, attempt))?.ended_at === null
    if (open) openUntil.set(key, now + OPEN_FOR_MS)
    return open
  }
  const pass = async (text: string): Promise<void> => {
    const message = SignedMessage.parse(JSON.parse(text))
    if (!isWatched(message.taskId) || !signatures.isDelta(message)) return
    const { taskId, attempt } = message
    const body = DeltaBody.parse(JSON.parse(message.body))
    if (await isOpen(taskId, attempt)) show({ taskId, attempt, ...body })
  }
  const onDelta = (text: string) => void pass(text).catch((error) => log.debug({ event: 'delta.dropped', err: error }))
  return { stop: await redis.listen(DELTA_CHANNEL, onDelta) }
}
