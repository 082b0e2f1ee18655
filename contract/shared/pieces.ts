import { borderBefore, cutText, LONGEST_CHARACTER } from './characters.ts'

/** Of graphemes: characters as people see them. */
const CHARACTERS = new Intl.Segmenter('en')
/** An emoji of four people takes eleven UTF-16 units. */
const USUAL_CHARACTER = 12

/** @returns the first characters of a text; at most `most`, as people count them, the mark included */
export function cutCharacters(text: string, most: number, mark = '…'): string {
  const bounded = cutText(text, most * USUAL_CHARACTER, '')
  const characters = Array.from(CHARACTERS.segment(bounded), ({ segment }) => segment)
  if (bounded === text && characters.length <= most) return text
  return characters.slice(0, most - mark.length).join('') + mark
}

/** @returns the end of a text, at most so many UTF-16 units; it begins between two characters */
export function lastText(text: string, maxUnits: number): string {
  let at = Math.max(0, text.length - maxUnits)
  while (borderBefore(text, at) < at) at += 1
  return text.slice(at)
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
