import { isStoreTrouble } from './errors.ts'

/** What a line of the log tells, as far as it is looked at here. */
type Facts = { event?: unknown; err?: unknown; status?: unknown }

export type Verdict = { write: false } | { write: true; leftOut: Record<string, number> | null }

/** How long one trouble is not told again. */
const EVERY_MS = 60_000

/**
 * A full disk, or a Redis that refuses, fails everything that is tried, many times a second. Such a trouble is told once a minute, whatever
 * it kept from being done, with the number of lines that were left out since, by their `event`. Any other line is always written.
 */
export function createTroubles(options: { everyMs?: number; now?: () => number } = {}) {
  const { everyMs = EVERY_MS, now = () => performance.now() } = options
  const known = new Map<string, { toldAt: number; seenAt: number; leftOut: Record<string, number> }>()
  return {
    /** Of a line that warns or worse. */
    judge: (facts: Facts): Verdict => {
      const name = troubleOf(facts)
      if (name === null) return { write: true, leftOut: null }
      const at = now()
      const trouble = known.get(name)
      if (trouble && at - trouble.toldAt < everyMs) {
        const event = String(facts.event)
        trouble.leftOut[event] = (trouble.leftOut[event] ?? 0) + 1
        trouble.seenAt = at
        return { write: false }
      }
      known.set(name, { toldAt: at, seenAt: at, leftOut: {} })
      return { write: true, leftOut: trouble && Object.keys(trouble.leftOut).length > 0 ? trouble.leftOut : null }
    },
    /** @returns the troubles that have not been met for so long that they are over, each once; what was never repeated needs no word */
    takeOver: (): { trouble: string; leftOut: Record<string, number> }[] => {
      const over = [...known].filter(([, { seenAt }]) => now() - seenAt >= everyMs)
      for (const [name] of over) known.delete(name)
      return over.flatMap(([trouble, { toldAt, seenAt, leftOut }]) => (seenAt > toldAt ? [{ trouble, leftOut }] : []))
    },
  }
}

/** Of the file system; and Redis's own words, or its client's, at the beginning of a message. */
const CODE = /^(ENOSPC|EDQUOT|EIO|EROFS|EMFILE|ENFILE)$/
const WORDS = /^(OOM|MISCONF|READONLY|NOREPLICAS|LOADING|Connection is closed|Command timed out|Stream isn't writeable)\b/

function troubleOf({ event, err, status }: Facts): string | null {
  // Each is also told as `http.refused`, with its cause.
  if (event === 'http.answered' && status === 503) return 'HTTP 503'
  for (let fault = err; typeof fault === 'object' && fault !== null; fault = (fault as { cause?: unknown }).cause) {
    const { code, message } = fault as { code?: unknown; message?: unknown }
    if (typeof code === 'string' && (isStoreTrouble(fault) || CODE.test(code))) return code
    const [words] = WORDS.exec(String(message)) ?? []
    if (words) return words
  }
  return null
}
