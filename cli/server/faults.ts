import type { ErrorCode } from '../../contract/api/errors.ts'

/** The exit codes of `errand`. */
export const EXIT = {
  completed: 0,
  failed: 1,
  /** The command line is wrong, or the server refused the request. */
  refused: 2,
  cancelled: 3,
  /** No server, no answer, no access, or a fault in the server. */
  unreachable: 4,
  /** Ctrl-C. The task goes on. */
  left: 130,
} as const

/** Ends the command with a message that says what is wrong and what to do. */
export class Fault extends Error {
  readonly exit: number

  constructor(exit: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Fault'
    this.exit = exit
  }
}

/** The exit code for an error from the server. An unknown code, from a newer server, counts as the server's fault. */
export function exitOf(code: ErrorCode | string): number {
  return ['invalid', 'not_found', 'conflict', 'too_large', 'rate_limited'].includes(code) ? EXIT.refused : EXIT.unreachable
}
