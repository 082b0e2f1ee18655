import type { Logger } from 'pino'
import { runnerChannel } from '../../contract/wire/names.ts'
import type { RunnerWord } from '../../contract/wire/river.ts'
import { findAttempt } from '../store/attempts.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { RedisLinks } from './redis.ts'
import type { Signatures } from './signatures.ts'

/**
 * Sends a signed word to a runner. A word may be lost: a runner without an acknowledgement sends its events again, and learns of a cancel
 * and of messages when it renews its lease.
 * @throws Error when Redis is away
 */
export type SendToRunner = (runnerId: string, taskId: string, attempt: number, word: RunnerWord) => Promise<void>

export function createSendToRunner(redis: RedisLinks, signatures: Signatures): SendToRunner {
  return async (runnerId, taskId, attempt, word) => {
    await redis.commands.publish(runnerChannel(runnerId), JSON.stringify(signatures.signWord(taskId, attempt, word)))
  }
}

type Parts = { db: Store; sendToRunner: SendToRunner; log: Logger }

/** Sends a word to the runner of this attempt if the attempt is open. Never throws: the next renewal or the next lease repeats the word. */
export async function sendToAttempt(parts: Parts, taskId: string, number: number, word: RunnerWord): Promise<void> {
  const attempt = await findAttempt(parts.db, taskId, number)
  if (attempt?.ended_at !== null) return
  try {
    await parts.sendToRunner(attempt.runner_id, taskId, number, word)
  } catch (error) {
    parts.log.warn({ event: 'word.delayed', taskId, attempt: number, type: word.type, err: error })
  }
}
