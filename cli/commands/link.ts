import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'
import { linkNotes } from '../show/link-notes.ts'

/** `errand link`: a link that signs in one browser, once. */
export async function link(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], 'errand link')
  const link = await context.api().createSignInLink()
  context.stderr.write(`Signs in once, until ${new Date(link.expiresAt).toLocaleTimeString()}:\n`)
  context.print(link.url)
  for (const line of linkNotes(link, context.stderr, context.environment)) context.stderr.write(`${line}\n`)
  return EXIT.completed
}
