import type { ErrorCode } from '../../contract/api/errors.ts'

/** What the exit code of `errand` says. */
export const EXIT = {
  completed: 0,
  failed: 1,
  /** The command line, or what was asked of the server, is wrong. */
  refused: 2,
  cancelled: 3,
  /** No server, no answer, no access, or a fault of the server's own. */
  unreachable: 4,
  /** Ctrl-C. The task goes on. */
  left: 130,
} as const

/** What a person is told before the tool ends: what is wrong and what to do. */
export class Fault extends Error {
  readonly exit: number

  constructor(exit: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Fault'
    this.exit = exit
  }
}

/** The exit code for a fault that the server named. A code of a newer server counts as the server's fault. */
export function exitOf(code: ErrorCode | string): number {
  return ['invalid', 'not_found', 'conflict', 'too_large', 'rate_limited'].includes(code) ? EXIT.refused : EXIT.unreachable
}
