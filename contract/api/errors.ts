import * as z from 'zod'

/** The codes of the API's errors; `coordinator/http/errors.ts` maps each to one HTTP status. */
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

/** The schema of what a client sends: an object with exactly these fields. A misspelt field is refused instead of ignored. */
export function requestBody<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownField(issue.keys[0] ?? '', Object.keys(shape)) : undefined),
  })
}

const SHOWN_CHARS = 50

function unknownField(given: string, known: readonly string[]): string {
  const near = known.find((name) => letters(name) === letters(given))
  const advice = near
    ? `Did you mean "${near}"?`
    : known.length > 0
      ? `The fields are: ${known.join(', ')}.`
      : 'It takes no fields.'
  return `there is no field "${given.slice(0, SHOWN_CHARS)}" here. ${advice}`
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '')
}
