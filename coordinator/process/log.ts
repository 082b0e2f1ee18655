import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'
import { createTroubles } from './troubles.ts'

const WARN = 40
const LOOK_EVERY_MS = 10_000

/** Writes facts, one JSON object a line. Fields that may hold a secret are redacted, and no trouble can fill the disk. */
export function createLog({ logLevel, prettyLog }: Pick<Config, 'logLevel' | 'prettyLog'>): Logger {
  const troubles = createTroubles()
  const log = pino({
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      // The error of a Redis command holds the whole command, which includes the password if Redis refused that.
      paths: [
        'err.command',
        ...['token', 'key', 'password', 'authorization', 'cookie'].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      ],
      censor: '[redacted]',
    },
    hooks: {
      logMethod(this: Logger, [facts, ...rest]: Parameters<pino.LogFn>, write: pino.LogFn, level: number) {
        if (level < WARN || typeof facts !== 'object' || facts === null) return write.apply(this, [facts, ...rest])
        const verdict = troubles.judge(facts)
        if (!verdict.write) return
        write.apply(this, [verdict.leftOut ? { ...facts, leftOut: verdict.leftOut } : facts, ...rest])
      },
    },
    ...(prettyLog && { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', messageKey: 'event' } } }),
  })
  setInterval(() => {
    for (const over of troubles.takeOver()) log.info({ event: 'trouble.over', ...over })
  }, LOOK_EVERY_MS).unref()
  return log
}
