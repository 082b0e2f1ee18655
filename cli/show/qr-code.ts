import { encode } from 'uqr'

/** Light modules around the code: readers ask for four. */
const BORDER = 4
/** Black on white by number: a theme may show any colours under their names. */
const COLOURS = ['\x1b[38;5;16;48;5;231m', '\x1b[0m'] as const

/**
 * A QR code for a terminal, two rows of modules in a line.
 * @param colour with it the code is dark on light whatever the terminal looks like; without it, right for light text on dark
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

/** By what the upper and the lower half are. */
const HALVES: Readonly<Record<`${boolean} ${boolean}`, string>> = {
  'true true': '█',
  'true false': '▀',
  'false true': '▄',
  'false false': ' ',
}
