import type { ErrorCode } from '../../../contract/api/errors.ts'

/** What a call can fail with. `unreachable`: no answer of the server came back. `message` is for a person. */
export class ApiError extends Error {
  readonly code: ErrorCode | 'unreachable'
  constructor(code: ErrorCode | 'unreachable', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** @returns whether the same call may well succeed a little later, without anybody changing anything */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'unreachable' || code === 'unavailable' || code === 'rate_limited' || code === 'internal'
}

/** @returns whether the network or the server is away: no fault of the call, and nothing that a person could mend in the app */
export function isAway(error: unknown): boolean {
  return codeOf(error) === 'unreachable'
}

/** @returns null for anything that no call of ours threw */
export function codeOf(error: unknown): ApiError['code'] | null {
  return error instanceof ApiError ? error.code : null
}
