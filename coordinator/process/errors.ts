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
