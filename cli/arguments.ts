import { type ParseArgsConfig, parseArgs } from 'node:util'
import { EXIT, Fault } from './faults.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/**
 * Reads a command's arguments.
 * @param names what the positional arguments are called; all are needed, and a last one that ends in `…` takes all that is left
 * @throws Fault that names what is wrong, with the usage
 */
export const readArguments = <T extends Options>(
  args: readonly string[],
  options: T,
  names: readonly string[],
  usage: string,
) => {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    const greedy = names.at(-1)?.endsWith('…') === true
    const missing = names.slice(positionals.length)[0]
    if (missing) throw new Error(`${missing.replace('…', '')} is missing`)
    if (!greedy && positionals.length > names.length) throw new Error(`“${positionals[names.length]}” is one too many`)
    const given = greedy
      ? [...positionals.slice(0, names.length - 1), positionals.slice(names.length - 1).join(' ')]
      : positionals
    return { values, given }
  } catch (error) {
    throw new Fault(EXIT.refused, `${(error as Error).message}\nUsage: ${usage}`, { cause: error })
  }
}
