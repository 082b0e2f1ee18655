import { runnerChannel } from '../../contract/wire/names.ts'
import type { RunnerWord } from '../../contract/wire/river.ts'
import type { RedisLinks } from './redis.ts'
import type { Signatures } from './signatures.ts'

/**
 * Says a signed word to a runner. It may be lost: a runner without an acknowledgement sends again, and hears of a cancel when it
 * renews its lease.
 * @throws Error when Redis is away
 */
export type SayToRunner = (runnerId: string, taskId: string, attempt: number, word: RunnerWord) => Promise<void>

export function createSayToRunner(redis: RedisLinks, signatures: Signatures): SayToRunner {
  return async (runnerId, taskId, attempt, word) => {
    await redis.commands.publish(runnerChannel(runnerId), JSON.stringify(signatures.signWord(taskId, attempt, word)))
  }
}
