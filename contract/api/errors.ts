import { z } from 'zod'

/** The codes that a client of the API can meet; `coordinator/http/errors.ts` maps each to one HTTP status. */
export const ErrorCode = z.enum([
  'invalid',
  'unauthorized',
  'forbidden',
  'not_found',
  'conflict',
  'rate_limited',
  'too_large',
  'unavailable',
  'internal',
])
export type ErrorCode = z.infer<typeof ErrorCode>

/** The body of every answer that is an error, and of a refused socket call. */
export const ErrorBody = z
  .object({
    code: ErrorCode,
    /** For a person: what is wrong and what to do. */
    message: z.string(),
    /** Finds the matching log line. */
    requestId: z.string(),
    details: z.unknown().optional(),
  })
  .meta({ id: 'Error' })
export type ErrorBody = z.infer<typeof ErrorBody>
