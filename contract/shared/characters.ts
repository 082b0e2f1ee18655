/** Of graphemes: characters as people see them. */
const CHARACTERS = new Intl.Segmenter('en')
/** One character as people see it may take this many UTF-16 units; what is longer is decoration. */
export const LONGEST_CHARACTER = 100

/**
 * Cuts a text between two characters as people see them, never within one: an emoji of several parts, a letter with its accents.
 * @param maxUnits UTF-16 units of the result, `mark` included; at least as many as the mark has
 */
export function cutText(text: string, maxUnits: number, mark = '…'): string {
  if (text.length <= maxUnits) return text
  return text.slice(0, borderBefore(text, maxUnits - mark.length)) + mark
}

/**
 * Within a character that is longer than any that people see (an accent repeated without end), it cuts between two code points.
 * @returns the last place at or before `at` that lies between two characters (Unicode Standard Annex 29, grapheme clusters)
 */
export function borderBefore(text: string, at: number): number {
  const start = CHARACTERS.segment(text.slice(0, at + LONGEST_CHARACTER)).containing(at)?.index ?? at
  if (at - start <= LONGEST_CHARACTER) return start
  return Number(text.codePointAt(at - 1)) > 0xffff ? at - 1 : at
}

/** Replaces halves of surrogate pairs, which are no characters and cannot be sent as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
