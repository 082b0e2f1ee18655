import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** Facts, one JSON object a line. What may hold a secret is cut before it is written. */
export const createLog = ({ logLevel, prettyLog }: Pick<Config, 'logLevel' | 'prettyLog'>): Logger =>
  pino({
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      // The error of a Redis command has the whole command on it: the password of Redis, when it is that which was refused.
      paths: [
        'err.command',
        ...['token', 'key', 'password', 'authorization', 'cookie'].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      ],
      censor: '[redacted]',
    },
    ...(prettyLog && { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', messageKey: 'event' } } }),
  })
