import { lastText } from '../../contract/api/tool-output.ts'
import { cutText } from '../../contract/shared/characters.ts'
import { stripTerminal } from '../../contract/shared/terminal.ts'

/** The most characters of one output that the model sees. */
export const MODEL_OUTPUT_CHARS = 30_000

/**
 * Keeps some of the head and more of the tail: a command prints what it does at its beginning, and what failed at its end.
 * @param whole the file with all of it; named in the gap
 */
export function bounded(text: string, maxChars: number, whole: string | null = null): string {
  if (text.length <= maxChars) return text
  const gap = (lines: number) => `\n[… ${lines} lines elided${whole ? `; full output: ${whole}` : ''} …]\n`
  const room = maxChars - gap(text.length).length
  const head = wholeLines(cutText(text, Math.floor(room * 0.2), ''), 'head')
  const tail = wholeLines(lastText(text, Math.ceil(room * 0.8)), 'tail')
  const elided = text.slice(head.length, text.length - tail.length).split('\n').length
  return `${head}${gap(elided)}${tail}`
}

/**
 * Makes terminal output readable: no escape sequences, only the last state of a line that was written over, no control or direction
 * characters (which can make one text look like another).
 */
export function cleaned(text: string): string {
  return (
    stripTerminal(text)
      .replaceAll('\r\n', '\n')
      .split('\n')
      .map((line) => line.slice(line.lastIndexOf('\r') + 1))
      .join('\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
  )
}

/** @returns the input of a call with its long texts cut, so that its JSON has at most `maxChars` */
export function shrinkInput(input: unknown, maxChars: number): unknown {
  const json = JSON.stringify(input) ?? 'null'
  if (json.length <= maxChars) return input
  for (const most of [2000, 200, 20]) {
    const shrunk = cutTexts(input, most)
    if (JSON.stringify(shrunk).length <= maxChars) return shrunk
  }
  return { cut: cutText(json, Math.floor(maxChars / 8)) }
}

function cutTexts(value: unknown, most: number): unknown {
  if (typeof value === 'string')
    return value.length <= most ? value : `${cutText(value, most)} (${value.length - most} more characters)`
  if (Array.isArray(value)) return value.map((item) => cutTexts(item, most))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutTexts(item, most)]))
  return value
}

/** Cuts at a line's end or start unless that would lose most of the piece. */
function wholeLines(piece: string, side: 'head' | 'tail'): string {
  const border = side === 'head' ? piece.lastIndexOf('\n') : piece.indexOf('\n')
  const kept = side === 'head' ? piece.slice(0, border + 1) : piece.slice(border + 1)
  return border < 0 || kept.length < piece.length / 2 ? piece : kept
}
