import { cutText } from '../../../contract/shared/characters.ts'
import { characterName, foldText, unfoldedPlace } from './characters.ts'
import { LINE_CHARS } from './excerpt.ts'
import { findWords } from './words.ts'

/**
 * Says why a text was not found: where the file has something that looks like it, and by which character the two differ; or else the
 * places that are most like it.
 */
export function nearMiss(text: string, wanted: string): string {
  if (wanted.trim() === '') return 'old_string contains only white space, in an arrangement that the file does not have.'
  const alike = lookAlike(text, wanted)
  if (alike) return alike
  const lines = text.split('\n')
  const asked = wanted.replace(/\n$/, '').split('\n')
  const best = nearestPlaces(text, asked)
  const isLong = (lines[best[0] ?? 0]?.length ?? 0) > LINE_CHARS
  const part = isLong ? commonPart(text, wanted) : null
  if (part) return part
  if (best.length > 0)
    return `${firstDifference(lines, asked, best[0] ?? 0)}The nearest places are:\n${shown(lines, asked.length, best)}`
  return commonPart(text, wanted) ?? 'Nothing in the file resembles it: read the file again.'
}

/** A difference of one character at a place of the file, both counted from 1. */
type Difference = { line: number; column: number; file: string; asked: string }

const MOST_DIFFERENCES = 8

function lookAlike(text: string, wanted: string): string | null {
  const file = foldText(text)
  const asked = foldText(wanted)
  const found = asked === '' ? -1 : file.indexOf(asked)
  if (found < 0) return null
  const start = unfoldedPlace(text, found)
  const span = text.slice(start, unfoldedPlace(text, found + asked.length - 1) + 1)
  const again = file.indexOf(asked, found + 1) >= 0 ? ' There are more such places.' : ''
  const differences = differencesOf(text, start, span, wanted)
  const rest = differences.length > MOST_DIFFERENCES ? `\n- and ${differences.length - MOST_DIFFERENCES} more` : ''
  const list = differences.slice(0, MOST_DIFFERENCES).map((difference) => `\n- ${inWords(difference)}`)
  return `The file has a text that only looks like old_string:${list.join('')}${rest}\nUse the characters of the file in old_string.${again}`
}

function differencesOf(text: string, start: number, span: string, wanted: string): Difference[] {
  const [left, right] = [[...span], [...wanted]]
  const found: Difference[] = []
  let at = start
  let j = 0
  for (let i = 0; i < left.length || j < right.length; ) {
    const [a = '', b = ''] = [left[i], right[j]]
    if (a === b) {
      i += 1
      j += 1
      at += a.length
      continue
    }
    const [foldedA, foldedB] = [foldText(a), foldText(b)]
    // A character that is not seen stands on one side alone.
    const onlyFile = a !== '' && foldedA === '' && foldedB !== ''
    const onlyAsked = b !== '' && foldedB === '' && foldedA !== ''
    found.push({ ...placeOf(text, at), file: onlyAsked ? '' : a, asked: onlyFile ? '' : b })
    if (!onlyAsked && a !== '') {
      i += 1
      at += a.length
    }
    if (onlyFile) continue
    // "…" looks like three characters.
    for (let covered = 0; j < right.length && covered < Math.max(1, foldedA.length); j++)
      covered += foldText(right[j] ?? '').length || 1
  }
  return found
}

function inWords({ line, column, file, asked }: Difference): string {
  const where = `line ${line}, column ${column}`
  if (file === '') return `${where}: old_string has ${characterName(asked)}, which the file does not have here`
  if (asked === '') return `${where}: the file has ${characterName(file)} here, which old_string does not have`
  return `${where}: the file has ${characterName(file)} here, old_string has ${characterName(asked)}`
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1
  let line = 1
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line += 1
  return { line, column: [...text.slice(lineStart, at)].length + 1 }
}

/** How many places are shown, and how much of each. */
const MOST_PLACES = 3
const SHOWN_LINES = 12
const SHOWN_CHARS = 300
/** A place needs this share of the wanted text. */
const LEAST_SHARE = 0.4

/**
 * Pure. @returns the first lines of the places that share most with the wanted lines, best first. A word counts the more the rarer it is
 * in the file.
 */
function nearestPlaces(text: string, asked: readonly string[]): number[] {
  const words = findWords(text, asked)
  const scores = new Map<number, number>()
  let whole = 0
  for (const { offsets, places } of words) {
    const weight = 1 / Math.sqrt(Math.max(1, places.length))
    whole += weight * offsets.length
    for (const offset of offsets)
      for (const place of places) if (place >= offset) scores.set(place - offset, (scores.get(place - offset) ?? 0) + weight)
  }
  return [...scores]
    .filter(([, score]) => score >= whole * LEAST_SHARE)
    .sort(([a, left], [b, right]) => right - left || a - b)
    .slice(0, MOST_PLACES)
    .map(([place]) => place)
}

function firstDifference(lines: readonly string[], asked: readonly string[], place: number): string {
  for (const [offset, line] of asked.entries()) {
    const there = lines[place + offset]
    // The first and the last line may be parts of a line of the file.
    const isPart = offset === 0 || offset === asked.length - 1
    if (there === line || (isPart && there?.includes(line))) continue
    if (there === undefined) return ''
    const [a, b] = [[...there], [...line]]
    const skipped =
      offset === 0 ? Math.max(0, a.length - [...there.trimStart()].length - (b.length - [...line.trimStart()].length)) : 0
    let column = 0
    while (column < b.length && a[column + skipped] === b[column]) column += 1
    const [file, wanted] = [a[column + skipped], b[column]]
    const at = `line ${place + offset + 1}, column ${column + skipped + 1}`
    return `The first difference is at ${at}: the file has ${file === undefined ? 'the end of the line' : characterName(file)} here, old_string has ${wanted === undefined ? 'the end of the line' : characterName(wanted)}. `
  }
  return ''
}

function shown(lines: readonly string[], count: number, places: readonly number[]): string {
  const spans = places.map((place) =>
    lines
      .slice(place, place + Math.min(count, SHOWN_LINES))
      .map((line, offset) => `${String(place + 1 + offset).padStart(6)}\t${cutText(line, SHOWN_CHARS, '… (cut)')}`)
      .join('\n'),
  )
  return spans.join('\n  ⋯\n')
}

/** For files with very long lines. @returns how far the beginning of the wanted text is found; null if hardly anything is */
function commonPart(text: string, wanted: string): string | null {
  let [found, missing] = [0, wanted.length]
  while (missing - found > 1) {
    const middle = (found + missing) >> 1
    if (text.includes(wanted.slice(0, middle))) found = middle
    else missing = middle
  }
  if (found < Math.min(12, wanted.length / 2)) return null
  const at = text.indexOf(wanted.slice(0, found)) + found
  const { line, column } = placeOf(text, at)
  const around = text.slice(Math.max(0, at - 100), at + 100)
  return `Its first ${found} characters are in the file. Then, at line ${line}, column ${column}, the file has ${characterName([...text.slice(at, at + 2)][0] ?? '')} here, old_string has ${characterName([...wanted.slice(found, found + 2)][0] ?? '')}. Around it the file has:\n${around}`
}
