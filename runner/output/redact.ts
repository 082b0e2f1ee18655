/** No longer than the shortest secret that is searched for, so that no text grows past its bound. */
const MARK = '[secret]'

export type Redactor = { text: (text: string) => string; sameLength: (text: string) => string }

/**
 * Takes exact secrets out of text, also in base64 (at any of its three alignments) and in URLs. This is the second line of defence: no
 * secret but the task token is in the sandbox to begin with. It ignores values shorter than the mark.
 */
export function createRedactor(secrets: readonly (string | null)[]): Redactor {
  const forms = secrets.filter((secret) => secret !== null).flatMap(formsOf)
  const needles = [...new Set(forms)].filter((form) => form.length >= MARK.length).sort((a, b) => b.length - a.length)
  if (needles.length === 0) return { text: (text) => text, sameLength: (text) => text }
  const pattern = new RegExp(needles.map(escaped).join('|'), 'g')
  return {
    text: (text) => text.replace(pattern, MARK),
    sameLength: (text) => text.replace(pattern, (found) => '*'.repeat(found.length)),
  }
}

function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((shift) => base64Inside(secret, shift))
  return [secret, encodeURIComponent(secret), ...base64, ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))]
}

/** The characters of base64 that depend on `secret` alone when `shift` other bytes precede it in its group of three. */
function base64Inside(secret: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
  const whole = Math.floor((bytes.length * 8) / 6)
  return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), whole)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
