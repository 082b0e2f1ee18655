import { ZodError } from 'zod'
import type { ErrorCode } from '../../contract/api/errors.ts'

/** An error that the caller is told about: a code for the program, a sentence for the person. Any other error is `internal`. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly details: unknown

  /** @param message what is wrong and what to do; users see it unchanged */
  constructor(code: ErrorCode, message: string, details?: unknown, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Refusal'
    this.code = code
    this.details = details
  }
}

/** @returns the part of an error that the caller may see, over HTTP and sockets alike; the rest is only in the log */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof ZodError) return new Refusal('invalid', sentenceOf(error), error.issues.map(issueOf))
  const cause = { cause: error }
  return isStoreTrouble(error)
    ? new Refusal('unavailable', 'The server cannot use its database: its disk may be full. Try again later.', undefined, cause)
    : new Refusal(
        'internal',
        'Something went wrong on the server. Try again. If it happens again, tell the administrator of this server.',
        undefined,
        cause,
      )
}

/**
 * @returns whether the whole store is in trouble (disk full, locked, broken), so that the same call may work later; any other error is the
 * caller's (sqlite.org/rescode.html)
 */
export function isStoreTrouble(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^SQLITE_(FULL|BUSY|LOCKED|IOERR|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PROTOCOL)/.test(code)
}

function sentenceOf(error: ZodError): string {
  // A misspelt field explains why the right one is missing.
  const first = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  if (!first) return 'The request is not in the expected form.'
  const { path, message } = issueOf(first)
  if (path === '' && first.code === 'invalid_type' && first.expected === 'object')
    return 'The body is missing or has the wrong type. The API takes a JSON object, with Content-Type: application/json.'
  return path ? `${path}: ${message}` : message
}

/** Only the place and the rule: zod may quote the input, which may be a secret. */
function issueOf({ path, message }: ZodError['issues'][number]): { path: string; message: string } {
  return { path: path.join('.'), message }
}
