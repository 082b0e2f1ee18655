import { stripVTControlCharacters, styleText } from 'node:util'

export type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'inverse'

/** The width of a line in columns, and whether colours are allowed. */
export type Look = { width: number; colour: boolean }

export function paint({ colour }: Look, format: Format | Format[], text: string): string {
  return colour && text !== '' ? styleText(format, text, { validateStream: false }) : text
}

/** Marks everything that the demo model did. */
export function demoMark(look: Look): string {
  return look.colour ? paint(look, ['inverse', 'magenta'], ' DEMO ') : 'DEMO'
}

/** Makes text from a sandbox safe for a terminal: removes control sequences and characters that reverse the reading direction. */
export function clean(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replaceAll('\r\n', '\n')
      .replaceAll('\t', '    ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
  )
}

const segmenter = new Intl.Segmenter()
const WIDE =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60]/u

/** The columns that a text without control sequences takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += WIDE.test(segment) ? 2 : 1
  return columns
}

/** One line, cut to `width` columns with an ellipsis. */
export function clip(text: string, width: number): string {
  const line = text.replaceAll('\n', ' ⏎ ')
  if (columnsOf(line) <= width) return line
  let clipped = ''
  for (const { segment } of segmenter.segment(line)) {
    if (columnsOf(clipped) + columnsOf(segment) > width - 1) break
    clipped += segment
  }
  return `${clipped}…`
}

/** Breaks text at spaces so that no line is wider than `width`. The lines of a list item are indented below its bullet. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.trimEnd(), width))
}

function wrapLine(line: string, width: number): string[] {
  const indent = /^\s*(?:[-*•]\s+|\d+[.)]\s+|>\s+)?/.exec(line)?.[0] ?? ''
  const hang = ' '.repeat(Math.min(columnsOf(indent), Math.floor(width / 2)))
  const lines: string[] = []
  let current = indent
  let empty = true
  for (const word of line
    .slice(indent.length)
    .split(/ +/)
    .flatMap((word) => chop(word, width - hang.length))) {
    if (!empty && columnsOf(current) + 1 + columnsOf(word) > width) {
      lines.push(current)
      current = hang
      empty = true
    }
    current += empty ? word : ` ${word}`
    empty = false
  }
  return [...lines, current]
}

/** Cuts a word that is wider than a line into pieces. */
function chop(word: string, width: number): string[] {
  if (columnsOf(word) <= width) return [word]
  const pieces: string[] = ['']
  for (const { segment } of segmenter.segment(word)) {
    const piece = pieces.at(-1) ?? ''
    if (columnsOf(piece) + columnsOf(segment) > width) pieces.push(segment)
    else pieces[pieces.length - 1] = piece + segment
  }
  return pieces
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** Local time, hours and minutes: `14:05`. @param at milliseconds since 1970 */
export function timeOfDay(at: number): string {
  return new Date(at).toTimeString().slice(0, 5)
}

/** US dollars. Small amounts get more digits, so that they do not show as zero. */
export function money(usd: number): string {
  return usd > 0 && usd < 1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}
