import { cutText } from '../../../../contract/shared/characters.ts'
import { visibleMarks } from '../text/format.ts'

/** Lines of one chunk: `log.css` reserves this height for a chunk that is out of sight. */
const LINES = 100
/** A longer line is split: a line of a megabyte would block the page. */
const CHARS = 20_000

/**
 * Splits an output at line ends into chunks that a browser can lay out one by one. A colour that is on at the end of a chunk is on in the
 * next.
 */
export function logChunks(text: string): string[] {
  const chunks: string[] = []
  let colours = ''
  for (let from = 0; from < text.length; ) {
    const to = endOf(text, from)
    const chunk = text.slice(from, to)
    chunks.push(colours + chunk)
    colours = coloursAfter(colours, chunk)
    from = to
  }
  return chunks
}

function endOf(text: string, from: number): number {
  const most = from + CHARS
  let end = from
  for (let lines = 0; lines < LINES; lines++) {
    const next = text.indexOf('\n', end) + 1
    if (next === 0 || next > most) {
      if (next === 0 && text.length <= most) return text.length
      // The whole lines before it are a chunk of their own.
      return end > from ? end : from + cutText(text.slice(from, most + 1_000), CHARS, '').length
    }
    end = next
  }
  return end
}

/** @returns the escape sequences in force: those since the last reset */
function coloursAfter(before: string, chunk: string): string {
  let now = before
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with one
  for (const [sequence, codes = ''] of chunk.matchAll(/\u001b\[([\d;]*)m/g))
    now = codes === '' || codes === '0' ? '' : (now + sequence).slice(-200)
  return now
}

/** Terminal sequences other than colours: titles, links, cursor moves. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const SEQUENCES = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b\[[0-9;?]*[@-ln-~]|\u001b(?!\[)/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const COLOURS = /\u001b\[[0-9;]*m?/g

/** Keeps the last state of overwritten lines, drops control characters except colours, and names the marks that reorder text. */
export function printable(text: string): string {
  return visibleMarks(text)
    .replaceAll('\r\n', '\n')
    .replace(/[^\n]*\r(?!\n)/g, '')
    .replace(SEQUENCES, '')
    .replace(CONTROLS, '')
}

/** {@link printable} text without the colours. */
export function plain(text: string): string {
  return printable(text).replace(COLOURS, '')
}
