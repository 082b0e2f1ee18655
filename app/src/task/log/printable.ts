import { visibleMarks } from '../text/visible-marks.ts'

/** What a terminal does beside colours: titles, links, moves of its cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const SEQUENCES = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b\[[0-9;?]*[@-ln-~]|\u001b(?!\[)/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const COLOURS = /\u001b\[[0-9;]*m?/g

/** Of a line that was written over, its last state; no control characters but those of colours, and what reorders text by its name. */
export function printable(text: string): string {
  return visibleMarks(text)
    .replaceAll('\r\n', '\n')
    .replace(/[^\n]*\r(?!\n)/g, '')
    .replace(SEQUENCES, '')
    .replace(CONTROLS, '')
}

/** The same without the colours. */
export function plain(text: string): string {
  return printable(text).replace(COLOURS, '')
}
