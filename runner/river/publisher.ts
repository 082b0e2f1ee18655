import type { Logger } from 'pino'
import { parseJson } from '../../contract/shared/json.ts'
import { BELL_CHANNEL, DELTA_CHANNEL, EVENT_STREAM, runnerChannel } from '../../contract/wire/names.ts'
import { type DeltaBody, RunnerWord, SignedMessage } from '../../contract/wire/river.ts'
import { rateLimitedLog } from '../process/rate-limited-log.ts'
import { type Delivery, startDelivery } from './delivery.ts'
import { connectForCommands, connectForListening, type Redis } from './redis.ts'
import { isSignedWord, signDelta, signEntry } from './signatures.ts'
import type { Spool, SpoolEntry, SpoolHeader } from './spool.ts'

/** The runner's connection to Redis: sends events and deltas, and receives the coordinator's words. */
export type Publisher = {
  /** Begins to deliver what is in `spool`, and every event that is emitted from now on. */
  deliver: (spool: Spool, onSpoolFault: (error: unknown) => void) => Delivery
  /** For display only: dropped if Redis is away or slow. */
  delta: (of: SpoolHeader, body: DeltaBody) => void
  close: () => void
}

/** The part of the runner's attempts that the publisher uses. */
export type RiverAttempts = {
  list: () => { delivery: Delivery | null }[]
  find: (taskId: string, attempt: number) => { signingKey: string } | undefined
  heed: (taskId: string, attempt: number, word: RunnerWord) => void
}

/** Entries and bell in one call: four times cheaper for the sender than MULTI, and the bell never rings before the entries are there. */
const SEND = `
local ids = {}
for i = 2, #ARGV, 6 do
  ids[#ids + 1] = redis.call('XADD', KEYS[1], '*', 'taskId', ARGV[i], 'attempt', ARGV[i + 1], 'n', ARGV[i + 2],
    'at', ARGV[i + 3], 'body', ARGV[i + 4], 'signature', ARGV[i + 5])
end
redis.call('PUBLISH', ARGV[1], '')
return ids`

/** How many deltas may be on their way to Redis; more are dropped. */
const MAX_DELTAS = 64

export function openPublisher(options: { redisUrl: string; runnerId: string; attempts: RiverAttempts; log: Logger }): Publisher {
  const { redisUrl, runnerId, attempts, log } = options
  const commands = connectForCommands(redisUrl)
  const report = rateLimitedLog(log, 'redis.error')
  const listener = connectForListening({ url: redisUrl, channel: runnerChannel(runnerId), onError: report })
  let sendingDeltas = 0

  commands.on('error', report)
  commands.on('ready', () => {
    for (const { delivery } of attempts.list()) delivery?.wake()
  })
  listener.on('message', (_channel: string, text: string) => {
    if (!readWord(attempts, text)) log.warn({ event: 'word.ignored' })
  })

  return {
    deliver: (spool, onSpoolFault) =>
      startDelivery({
        spool,
        send: (entries) => sendEntries(connected(commands), spool.header, entries),
        isWaiting: async (id) => (await connected(commands).xrange(EVENT_STREAM, id, id)).length > 0,
        onSpoolFault,
        onSendFault: report,
      }),
    delta: (of, body) => {
      if (commands.status !== 'ready' || sendingDeltas >= MAX_DELTAS) return
      const message = { taskId: of.taskId, attempt: of.attempt, body: JSON.stringify(body) }
      sendingDeltas += 1
      commands
        .publish(DELTA_CHANNEL, JSON.stringify(signDelta(of.signingKey, message)))
        .catch(report)
        .finally(() => {
          sendingDeltas -= 1
        })
    },
    close: () => {
      commands.disconnect()
      listener.disconnect()
    },
  }
}

/** A command without a connection leaves a timer behind in the client library, so none is sent. */
function connected(redis: Redis): Redis {
  if (redis.status === 'ready') return redis
  throw new Error('Redis is away; the spool keeps the events')
}

async function sendEntries(redis: Redis, header: SpoolHeader, entries: readonly SpoolEntry[]): Promise<string[]> {
  const fields = entries.flatMap(({ n, at, body }) => {
    const entry = signEntry(header.signingKey, { taskId: header.taskId, attempt: header.attempt, n, at, body })
    return [entry.taskId, entry.attempt, entry.n, entry.at, entry.body, entry.signature]
  })
  return (await redis.eval(SEND, 1, EVENT_STREAM, BELL_CHANNEL, ...fields)) as string[]
}

/** @returns false if the message is not signed with the attempt's key, or not a word */
function readWord(attempts: RiverAttempts, text: string): boolean {
  const message = SignedMessage.safeParse(parseJson(text)).data
  if (!message) return false
  const about = attempts.find(message.taskId, message.attempt)
  // The attempt is over: the word comes too late to matter.
  if (!about) return true
  const word = RunnerWord.safeParse(parseJson(message.body)).data
  if (!word || !isSignedWord(about.signingKey, message)) return false
  attempts.heed(message.taskId, message.attempt, word)
  return true
}
