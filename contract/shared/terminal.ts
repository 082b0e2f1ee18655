// biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what is removed

/** A hyperlink's address or a clipboard write; a longer one loses its beginning alone. */
const COMMAND = /\u001b\][^\u0007\u001b\u009c\n]{0,4096}(?:\u0007|\u001b\\|\u009c)/g
/** Colours and movements: parameters, what stands between, a last letter. */
const CONTROL = /(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}[@-~]?/g
/** What an escape character makes of the next one: a charset, a mode. */
const ESCAPE = /\u001b[ -/]{0,8}[0-~]?/g

/**
 * Text without the sequences that a terminal obeys. In place of Node's own, which takes minutes over half a megabyte of some: each of these
 * expressions looks at a character a bounded number of times.
 */
export function stripTerminal(text: string): string {
  return text.replace(COMMAND, '').replace(CONTROL, '').replace(ESCAPE, '')
}
