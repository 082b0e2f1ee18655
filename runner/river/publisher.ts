import type { Logger } from 'pino'
import { parseJson } from '../../contract/shared/json.ts'
import { BELL_CHANNEL, DELTA_CHANNEL, EVENT_STREAM, runnerChannel } from '../../contract/wire/names.ts'
import { type DeltaBody, RunnerWord, SignedMessage } from '../../contract/wire/river.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import { rateLimitedLog } from '../process/rate-limited-log.ts'
import { type Delivery, deliver } from './delivery.ts'
import { connectForCommands, connectForListening, type Redis } from './redis.ts'
import { isSignedWord, signDelta, signEntry } from './signatures.ts'
import type { Spool, SpoolEntry, SpoolHeader } from './spool.ts'

/** The runner's end of the river: events out, deltas out, the coordinator's words in. */
export type Publisher = {
  /** Begins to deliver what is in `spool`, and all that is said from now on. */
  publish: (spool: Spool, hear: Hear) => Delivery
  /** For the eye only: dropped when Redis is away or slow. */
  delta: (of: SpoolHeader, body: DeltaBody) => void
  close: () => void
}

/** What the coordinator says about an attempt, and what goes wrong with its spool. */
export type Hear = {
  onCancel: () => void
  onRefused: () => void
  onMessage: (message: SteerMessage) => void
  onWithdraw: (messageId: string) => void
  onSpoolFault: (error: unknown) => void
}

/** Entries and bell in one call: 4 times cheaper for the sender than MULTI, and the bell never rings before the entries are there. */
const SEND = `
local ids = {}
for i = 2, #ARGV, 6 do
  ids[#ids + 1] = redis.call('XADD', KEYS[1], '*', 'taskId', ARGV[i], 'attempt', ARGV[i + 1], 'n', ARGV[i + 2],
    'at', ARGV[i + 3], 'body', ARGV[i + 4], 'signature', ARGV[i + 5])
end
redis.call('PUBLISH', ARGV[1], '')
return ids`

/** Deltas under way to Redis; more are dropped. */
const MAX_DELTAS = 64

type Listed = { delivery: Delivery; hear: Hear; signingKey: string }

export function openPublisher(options: { redisUrl: string; runnerId: string; log: Logger }): Publisher {
  const { redisUrl, runnerId, log } = options
  const commands = connectForCommands(redisUrl)
  const report = rateLimitedLog(log, 'redis.error')
  const listener = connectForListening({ url: redisUrl, channel: runnerChannel(runnerId), onError: report })
  const open = new Map<string, Listed>()
  let deltasUnderWay = 0

  commands.on('error', report)
  commands.on('ready', () => {
    for (const { delivery } of open.values()) delivery.wake()
  })
  listener.on('message', (_channel: string, text: string) => {
    if (!hearWord(open, text)) log.warn({ event: 'word.ignored' })
  })

  return {
    publish: (spool, hear) => {
      const { header } = spool
      const delivery = deliver({
        spool,
        send: (entries) => sendEntries(connected(commands), header, entries),
        isWaiting: async (id) => (await connected(commands).xrange(EVENT_STREAM, id, id)).length > 0,
        onSpoolFault: hear.onSpoolFault,
        onSendFault: report,
      })
      const key = keyOf(header.taskId, header.attempt)
      open.set(key, { delivery, hear, signingKey: header.signingKey })
      return { ...delivery, finish: () => delivery.finish().finally(() => open.delete(key)) }
    },
    delta: (of, body) => {
      if (commands.status !== 'ready' || deltasUnderWay >= MAX_DELTAS) return
      const message = { taskId: of.taskId, attempt: of.attempt, body: JSON.stringify(body) }
      deltasUnderWay += 1
      commands
        .publish(DELTA_CHANNEL, JSON.stringify(signDelta(of.signingKey, message)))
        .catch(report)
        .finally(() => {
          deltasUnderWay -= 1
        })
    },
    close: () => {
      commands.disconnect()
      listener.disconnect()
    },
  }
}

/** Each command that is refused for want of a connection leaves a timer behind in the client library. */
function connected(redis: Redis): Redis {
  if (redis.status === 'ready') return redis
  throw new Error('Redis is away; what is said is kept in the spool')
}

async function sendEntries(redis: Redis, header: SpoolHeader, entries: readonly SpoolEntry[]): Promise<string[]> {
  const fields = entries.flatMap(({ n, at, body }) => {
    const entry = signEntry(header.signingKey, { taskId: header.taskId, attempt: header.attempt, n, at, body })
    return [entry.taskId, entry.attempt, entry.n, entry.at, entry.body, entry.signature]
  })
  return (await redis.eval(SEND, 1, EVENT_STREAM, BELL_CHANNEL, ...fields)) as string[]
}

/** @returns false for what nobody with the attempt's key said */
function hearWord(open: ReadonlyMap<string, Listed>, text: string): boolean {
  const message = SignedMessage.safeParse(parseJson(text))
  if (!message.success) return false
  const listed = open.get(keyOf(message.data.taskId, message.data.attempt))
  // A word about an attempt that is over here: late, and of no use.
  if (!listed) return true
  const word = RunnerWord.safeParse(parseJson(message.data.body))
  if (!word.success || !isSignedWord(listed.signingKey, message.data)) return false
  act(listed, word.data)
  return true
}

function act({ delivery, hear }: Listed, word: RunnerWord): void {
  if (word.type === 'acknowledged') delivery.acknowledged(word.n)
  else if (word.type === 'cancel') hear.onCancel()
  else if (word.type === 'message') hear.onMessage(word.message)
  else if (word.type === 'withdraw') hear.onWithdraw(word.messageId)
  else {
    delivery.acknowledged(word.n)
    hear.onRefused()
  }
}

function keyOf(taskId: string, attempt: number): string {
  return `${taskId}\n${attempt}`
}
