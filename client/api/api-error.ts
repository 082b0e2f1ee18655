import type { ErrorCode } from '../../contract/api/errors.ts'

/**
 * Why a call can fail, besides the server's own codes. `unreachable`: no answer came from an Errand server. `unreadable`: an answer came,
 * and does not fit this version of the client.
 */
export type FailureCode = ErrorCode | 'unreachable' | 'unreadable'

/** The one error of every call. `message` is for a person. */
export class ApiError extends Error {
  readonly code: FailureCode
  /** The HTTP status of the answer; null if none came. */
  readonly status: number | null
  /** Finds the server's log line; null if the server did not name one. */
  readonly requestId: string | null

  constructor(code: FailureCode, message: string, options: ErrorOptions & Partial<Pick<ApiError, 'status' | 'requestId'>> = {}) {
    super(message, options)
    this.name = 'ApiError'
    this.code = code
    this.status = options.status ?? null
    this.requestId = options.requestId ?? null
  }
}

/** @returns whether the same call may succeed later without any change */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'unreachable' || code === 'unavailable' || code === 'rate_limited' || code === 'internal'
}

/** @returns whether the network or the server is away: then neither the call nor the client is at fault */
export function isAway(error: unknown): boolean {
  return codeOf(error) === 'unreachable'
}

/** @returns null for anything that is not an {@link ApiError} */
export function codeOf(error: unknown): FailureCode | null {
  return error instanceof ApiError ? error.code : null
}
