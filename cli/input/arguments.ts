import { type ParseArgsConfig, parseArgs } from 'node:util'
import { EXIT, Fault } from '../server/faults.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/**
 * Reads a command's arguments. Options may appear anywhere. Everything that does not look like an option is a word, even `-1 is wrong`.
 * @param names the names of the words. All are required. A last name that ends in `…` takes all remaining words, and may be missing if
 *   `--file` gives the text
 * @throws Fault that names what is wrong, with the usage
 */
export function readArguments<T extends Options>(args: readonly string[], options: T, names: readonly string[], usage: string) {
  try {
    const { forParser, words } = separate(args, options)
    const { values } = parseArgs({ args: forParser, options, allowPositionals: false, strict: true })
    const greedy = names.at(-1)?.endsWith('…') === true
    const [missing] = names.slice(words.length)
    if (missing && !(missing.endsWith('…') && 'file' in values)) throw new Error(`${missing.replace('…', '')} is missing`)
    if (!greedy && words.length > names.length) throw new Error(`“${words[names.length]}” is unexpected`)
    const given =
      greedy && words.length >= names.length
        ? [...words.slice(0, names.length - 1), words.slice(names.length - 1).join(' ')]
        : words
    return { values, given }
  } catch (error) {
    throw new Fault(EXIT.refused, `${(error as Error).message}\nUsage: ${usage}`, { cause: error })
  }
}

/** A dash and a letter, without blanks, with or without `=value`. Quoted text usually contains blanks. */
const LOOKS_LIKE_OPTION = /^--?[a-z][\w-]*(=|$)/i

function separate(args: readonly string[], options: Options): { forParser: string[]; words: string[] } {
  const forParser: string[] = []
  const words: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') return { forParser, words: [...words, ...args.slice(at + 1)] }
    if (!LOOKS_LIKE_OPTION.test(arg)) {
      words.push(arg)
      continue
    }
    forParser.push(arg)
    const takesValue = options[arg.slice(2)]?.type === 'string'
    if (takesValue && at + 1 < args.length) forParser.push(args[++at] ?? '')
  }
  return { forParser, words }
}
