import { stripVTControlCharacters } from 'node:util'
import { encode } from 'uqr'
import type { SignInLink } from '../../contract/api/api.ts'
import { onlyHereTexts } from '../../contract/api/phone-access.ts'

export type Terminal = Readonly<{ isTTY?: boolean; columns?: number }>

/**
 * The lines that `npm start` and `errand link` print with a sign-in link: its QR code if a phone can open the link, otherwise why not and what
 * to set. A terminal that is too narrow gets no code, because wrapped lines cannot be scanned.
 */
export function linkNotes(
  { url, onlyHere }: SignInLink,
  { isTTY = false, columns = Number.POSITIVE_INFINITY }: Terminal,
  { TERM, NO_COLOR }: Readonly<Record<string, string | undefined>>,
): string[] {
  if (onlyHere) {
    const { why, what, after } = onlyHereTexts(onlyHere)
    return [why, what, ...onlyHere.settings.map((setting) => `  ${setting}`), after]
  }
  // An older server does not say where its links open: perhaps only on its own machine.
  if (onlyHere === undefined) return []
  const code = qrCode(url, isTTY && TERM !== 'dumb' && !NO_COLOR)
  return isTTY && stripVTControlCharacters(code[0] ?? '').length > columns ? [] : code
}

/** Light modules around the code. Scanners need four. */
const BORDER = 4
/** Black on white, by colour number: a theme may change the named colours. */
const COLOURS = ['\x1b[38;5;16;48;5;231m', '\x1b[0m'] as const

/**
 * A QR code for a terminal, with two rows of modules per line.
 * @param colour true: dark on light on any terminal; false: plain text, for terminals with light text on dark
 */
export function qrCode(text: string, colour: boolean): string[] {
  const { data, size } = encode(text, { border: BORDER })
  const [before, after] = colour ? COLOURS : ['', '']
  const isInk = (row: number, column: number): boolean => (data[row]?.[column] ?? false) === colour
  const lines: string[] = []
  for (let row = 0; row < size; row += 2) {
    const columns = Array.from({ length: size }, (_, column) => HALVES[`${isInk(row, column)} ${isInk(row + 1, column)}`])
    lines.push(`${before}${columns.join('')}${after}`)
  }
  return lines
}

/** By the upper and the lower half: ink or not. */
const HALVES: Readonly<Record<`${boolean} ${boolean}`, string>> = {
  'true true': '█',
  'true false': '▀',
  'false true': '▄',
  'false false': ' ',
}
