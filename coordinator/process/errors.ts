import { ZodError } from 'zod'
import type { ErrorCode } from '../../contract/api/errors.ts'

/** A fault that the caller is told about: a code for the program, a sentence for the person. Anything else thrown is `internal`. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly details: unknown

  /** @param message what is wrong and what to do; it reaches the user as it stands */
  constructor(code: ErrorCode, message: string, details?: unknown, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Refusal'
    this.code = code
    this.details = details
  }
}

/** @returns what the caller may know of an error, over HTTP and over a socket alike; the log keeps the rest */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof ZodError) return new Refusal('invalid', sentenceOf(error), error.issues.map(issueOf))
  const cause = { cause: error }
  return isStoreTrouble(error)
    ? new Refusal('unavailable', 'The server cannot use its database: its disk may be full. Try again later.', undefined, cause)
    : new Refusal(
        'internal',
        'Something went wrong on the server. Find the details in its log by this request id.',
        undefined,
        cause,
      )
}

/**
 * @returns whether the store as a whole is in trouble (disk full, locked, broken), so that the same call may work later; any other error
 * comes from what was asked (sqlite.org/rescode.html)
 */
export function isStoreTrouble(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^SQLITE_(FULL|BUSY|LOCKED|IOERR|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PROTOCOL)/.test(code)
}

function sentenceOf(error: ZodError): string {
  // A misspelt field is why the right one is missing.
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
