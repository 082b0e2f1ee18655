import { stripTerminal } from '../../contract/shared/terminal.ts'

/** What `stripTerminal` leaves: other controls (not `\n`, `\t`) and the marks that reorder text for the eye. */
const CONTROLS = /[^\P{Cc}\n\t]/gu
const REORDERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const MAX_DEPTH = 32

/** Text of a stranger as it may be shown: no terminal sequences, no control characters, nothing that reorders. Never longer than before. */
export function cleanText(text: string): string {
  return stripTerminal(text.replace(/\r\n?/g, '\n')).replace(CONTROLS, '').replace(REORDERING, '')
}

/** The same for a delta, whose length must stay: its offset counts the characters before it. */
export function cleanDelta(text: string): string {
  return text.replace(CONTROLS, ' ').replace(REORDERING, ' ')
}

/** Every text in a JSON value, keys too, through `change`; what nests deeper than any honest value is cut off. */
export function mapTexts(value: unknown, change: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[nested too deep]'
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapTexts(item, change, depth + 1)]))
}
