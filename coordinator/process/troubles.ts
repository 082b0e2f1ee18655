import { isStoreTrouble } from './errors.ts'

/** The fields of a log line that matter here. */
type Facts = { event?: unknown; err?: unknown; status?: unknown }

export type Verdict = { write: false } | { write: true; leftOut: Record<string, number> | null }

/** How long the same trouble is not logged again. */
const EVERY_MS = 60_000

/**
 * A full disk or a refusing Redis makes every operation fail, many times a second. Such a trouble is logged once a minute, whichever
 * operations it affects, with the number of lines left out since, by `event`. Any other line is always written.
 */
export function createTroubles(options: { everyMs?: number; now?: () => number } = {}) {
  const { everyMs = EVERY_MS, now = () => performance.now() } = options
  const known = new Map<string, { toldAt: number; seenAt: number; leftOut: Record<string, number> }>()
  return {
    /** For lines of level `warn` and above. */
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
    /** @returns each trouble once when it is over, because it has not occurred for a while; one that never recurred needs no line */
    takeOver: (): { trouble: string; leftOut: Record<string, number> }[] => {
      const over = [...known].filter(([, { seenAt }]) => now() - seenAt >= everyMs)
      for (const [name] of over) known.delete(name)
      return over.flatMap(([trouble, { toldAt, seenAt, leftOut }]) => (seenAt > toldAt ? [{ trouble, leftOut }] : []))
    },
  }
}

/** Codes of the file system, and how messages of Redis or its client begin. */
const CODE = /^(ENOSPC|EDQUOT|EIO|EROFS|EMFILE|ENFILE)$/
const WORDS = /^(OOM|MISCONF|READONLY|NOREPLICAS|LOADING|Connection is closed|Command timed out|Stream isn't writeable)\b/

function troubleOf({ event, err, status }: Facts): string | null {
  // Each is also logged as `http.refused`, with its cause.
  if (event === 'http.answered' && status === 503) return 'HTTP 503'
  for (let fault = err; typeof fault === 'object' && fault !== null; fault = (fault as { cause?: unknown }).cause) {
    const { code, message } = fault as { code?: unknown; message?: unknown }
    if (typeof code === 'string' && (isStoreTrouble(fault) || CODE.test(code))) return code
    const [words] = WORDS.exec(String(message)) ?? []
    if (words) return words
  }
  return null
}
