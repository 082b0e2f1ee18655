import { characterName } from './characters.ts'
import { keptLines } from './lines.ts'

/** Whole lines that differ from the wanted text in blanks alone. */
export type LooseMatch = {
  /** The first line, from 0. */
  first: number
  /** The wanted lines, and the new ones, fitted to the file's indentation; a new line that equals a wanted one is unchanged. */
  asked: string[]
  given: string[]
  difference: string
}

/**
 * Finds whole lines that differ from `asked` only in trailing blanks, only by the same indentation everywhere, or, in lines that do not
 * change, by a kind of blank.
 * @returns the match if there is exactly one; otherwise the model has to decide
 */
export function findLoosely(lines: readonly string[], asked: readonly string[], given: readonly string[]): LooseMatch | null {
  const anchor = longestOf(asked)
  if (anchor === null) return null
  const kept = new Set(keptLines(asked, given))
  const wanted = plainBlanks(asked[anchor] ?? '').trim()
  // Most lines are ruled out by one word of it.
  const word = /[\w$]+/.exec(wanted)?.[0] ?? ''
  const starts = lines.flatMap((line, index) => {
    const first = index - anchor
    return first >= 0 && line.includes(word) && first + asked.length <= lines.length && plainBlanks(line).trim() === wanted
      ? [first]
      : []
  })
  const sameBlanks = starts.filter((first) => asked.every((line, i) => sameButBlanks(lines[first + i] ?? '', line, kept.has(i))))
  if (sameBlanks.length === 1 && sameBlanks[0] !== undefined)
    return { first: sameBlanks[0], asked: [...asked], given: [...given], difference: blankNamed(lines, asked, sameBlanks[0]) }
  const shifted = starts.flatMap((first) => {
    const shift = indentShift(lines.slice(first, first + asked.length), asked)
    return shift === null ? [] : [{ first, shift }]
  })
  const only = shifted[0]
  if (shifted.length !== 1 || !only) return null
  return { first: only.first, asked: asked.map(only.shift), given: given.map(only.shift), difference: 'indentation' }
}

/** @returns the index of the line that says most; null if all are blank */
function longestOf(asked: readonly string[]): number | null {
  const lengths = asked.map((line) => line.trim().length)
  const most = lengths.reduce((a, b) => Math.max(a, b), 0)
  return most === 0 ? null : lengths.indexOf(most)
}

/** Trailing blanks never count. Another kind of blank within a line counts unless the line stays as it is. */
function sameButBlanks(there: string, line: string, stays: boolean): boolean {
  if (there === line || there.trimEnd() === line.trimEnd()) return true
  return stays && plainBlanks(there).trimEnd() === plainBlanks(line).trimEnd()
}

/** Names the first blank of another kind, which the file keeps. */
function blankNamed(lines: readonly string[], asked: readonly string[], first: number): string {
  for (const [offset, line] of asked.entries()) {
    const there = lines[first + offset] ?? ''
    const column = [...there.trimEnd()].findIndex((character, index) => character !== [...line][index])
    if (column < 0) continue
    return `a blank: line ${first + offset + 1}, column ${column + 1} has ${characterName([...there][column] ?? '')}, and keeps it`
  }
  return 'trailing blanks'
}

function plainBlanks(line: string): string {
  return line.replace(/[\u00a0\u2007\u202f\u3000]/g, ' ')
}

/** @returns the function that turns a line of the wanted text into one of the file, when all lines differ by the same indentation; else null */
function indentShift(found: readonly string[], asked: readonly string[]): ((line: string) => string) | null {
  let shift: { add: string; remove: string } | null = null
  for (const [index, line] of asked.entries()) {
    const there = found[index] ?? ''
    if (there.trim() !== line.trim()) return null
    if (line.trim() === '') continue
    const [a, b] = [indentOf(there), indentOf(line)]
    const now = a.endsWith(b)
      ? { add: a.slice(0, a.length - b.length), remove: '' }
      : { add: '', remove: b.slice(0, b.length - a.length) }
    if (!a.endsWith(b) && !b.endsWith(a)) return null
    if (shift && (shift.add !== now.add || shift.remove !== now.remove)) return null
    shift = now
  }
  if (!shift) return null
  const { add, remove } = shift
  return (line) => (line.trim() === '' ? line : add + (line.startsWith(remove) ? line.slice(remove.length) : line))
}

function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length)
}
