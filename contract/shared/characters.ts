const CHARACTERS = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** One character as people see it may take this many UTF-16 units; what is longer is decoration. */
const LONGEST_CHARACTER = 100

/**
 * Cuts a text between two characters as people see them, never within one: an emoji of several parts, a letter with its accents.
 * @param maxUnits UTF-16 units of the result, `mark` included
 */
export function cutText(text: string, maxUnits: number, mark = '…'): string {
  if (text.length <= maxUnits) return text
  const at = Math.max(0, maxUnits - mark.length)
  return text.slice(0, borderBefore(text, at)) + mark
}

/** @returns the last place at or before `at` that lies between two characters */
function borderBefore(text: string, at: number): number {
  if (at <= 0 || at >= text.length) return Math.min(Math.max(at, 0), text.length)
  const start = CHARACTERS.segment(text.slice(0, at + LONGEST_CHARACTER)).containing(at)?.index ?? at
  if (at - start <= LONGEST_CHARACTER) return start
  return isLowSurrogate(text.charCodeAt(at)) ? at - 1 : at
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** Replaces halves of surrogate pairs, which are no characters and cannot be sent as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
