// biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what is removed

/** A hyperlink's address or a clipboard write. From a longer one, only the beginning is removed. */
const COMMAND = /\u001b\][^\u0007\u001b\u009c\n]{0,4096}(?:\u0007|\u001b\\|\u009c)/g
/** Colours and cursor movements: parameters, intermediate characters, a final letter. */
const CONTROL = /(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}[@-~]?/g
/** An escape character followed by one more: a charset, a mode. */
const ESCAPE = /\u001b[ -/]{0,8}[0-~]?/g

/**
 * Removes the sequences that a terminal obeys. Node's own function can take minutes for half a megabyte; each of these expressions reads a
 * character only a bounded number of times.
 */
export function stripTerminal(text: string): string {
  return text.replace(COMMAND, '').replace(CONTROL, '').replace(ESCAPE, '')
}
