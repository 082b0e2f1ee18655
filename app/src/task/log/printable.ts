import { visibleMarks } from '../text/visible-marks.ts'

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
