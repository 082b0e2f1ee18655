import { readArguments } from '../arguments.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../faults.ts'

/** `errand link`: an address that signs one browser in, once. */
export const link = async (args: readonly string[], context: Context): Promise<number> => {
  readArguments(args, {}, [], 'errand link')
  const { url, expiresAt } = await context.api().createSignInLink()
  context.stderr.write(`Signs in once, until ${new Date(expiresAt).toLocaleTimeString()}:\n`)
  context.print(url)
  return EXIT.completed
}
