/** Of graphemes: characters as people see them. */
const CHARACTERS = new Intl.Segmenter('en')
/** One character as people see it may take this many UTF-16 units; what is longer is decoration. */
const LONGEST_CHARACTER = 100
/** An emoji of four people takes eleven. */
const USUAL_CHARACTER = 12

/**
 * Cuts a text between two characters as people see them, never within one: an emoji of several parts, a letter with its accents.
 * @param maxUnits UTF-16 units of the result, `mark` included; at least as many as the mark has
 */
export function cutText(text: string, maxUnits: number, mark = '…'): string {
  if (text.length <= maxUnits) return text
  return text.slice(0, borderBefore(text, maxUnits - mark.length)) + mark
}

/** @returns the first characters of a text; at most `most`, as people count them, the mark included */
export function cutCharacters(text: string, most: number, mark = '…'): string {
  const bounded = cutText(text, most * USUAL_CHARACTER, '')
  const characters = Array.from(CHARACTERS.segment(bounded), ({ segment }) => segment)
  if (bounded === text && characters.length <= most) return text
  return characters.slice(0, most - mark.length).join('') + mark
}

/** @returns the text in pieces of at most so many UTF-16 units, cut between two characters; one piece for an empty text */
export function piecesOf(text: string, maxUnits: number): string[] {
  const pieces: string[] = []
  let from = 0
  while (text.length - from > maxUnits) {
    const window = text.slice(from, from + maxUnits + LONGEST_CHARACTER)
    // A size smaller than one character cuts it all the same.
    const size = borderBefore(window, maxUnits) || maxUnits
    pieces.push(window.slice(0, size))
    from += size
  }
  return [...pieces, text.slice(from)]
}

/**
 * Within a character that is longer than any that people see (an accent repeated without end), it cuts between two code points.
 * @returns the last place at or before `at` that lies between two characters (Unicode Standard Annex 29, grapheme clusters)
 */
function borderBefore(text: string, at: number): number {
  const start = CHARACTERS.segment(text.slice(0, at + LONGEST_CHARACTER)).containing(at)?.index ?? at
  if (at - start <= LONGEST_CHARACTER) return start
  return Number(text.codePointAt(at - 1)) > 0xffff ? at - 1 : at
}

/** Replaces halves of surrogate pairs, which are no characters and cannot be sent as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
