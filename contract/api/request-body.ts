import { z } from 'zod'

/** What a client sends: an object with these fields and no other, so that a misspelt one is told instead of having no effect. */
export function requestBody<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownField(issue.keys[0] ?? '', Object.keys(shape)) : undefined),
  })
}

const SHOWN_CHARS = 50

function unknownField(given: string, known: readonly string[]): string {
  const near = known.find((name) => letters(name) === letters(given))
  const advice = near ? `Did you mean "${near}"?` : known.length > 0 ? `Known are: ${known.join(', ')}.` : 'None is taken.'
  return `there is no field "${given.slice(0, SHOWN_CHARS)}" here. ${advice}`
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '')
}
