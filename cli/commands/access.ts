import { readArguments } from '../input/arguments.ts'
import { onlyOne } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean } from '../show/layout.ts'
import { linkNotes } from '../show/link-notes.ts'

const USAGE = 'errand token new NAME | list | revoke ID'

/** `errand token`: access for scripts and for this tool on other machines. */
export async function token([action, ...args]: readonly string[], context: Context): Promise<number> {
  if (action === 'new') return create(args, context)
  if (action === 'list') return list(args, context)
  if (action === 'revoke') return revoke(args, context)
  throw new Fault(EXIT.refused, `Usage: ${USAGE}`)
}

async function create(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['NAME'], USAGE)
  const made = await context.api().createToken({ name: given[0] ?? '' })
  context.stderr.write('The token is shown only now. Use it as ERRAND_TOKEN or as Authorization: Bearer.\n')
  context.print(made.token)
  return EXIT.completed
}

async function list(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], USAGE)
  for (const { id, name, createdAt, lastUsedAt } of (await context.api().listTokens()).items)
    context.print(
      `${id}  ${clean(name)}  created ${day(createdAt)}, ${lastUsedAt ? `last used ${day(lastUsedAt)}` : 'never used'}`,
    )
  return EXIT.completed
}

async function revoke(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], USAGE)
  await context.api().revokeToken(onlyOne('Token', given[0] ?? '', (await context.api().listTokens()).items))
  context.print('Revoked. The token no longer works.')
  return EXIT.completed
}

function day(iso: string): string {
  return iso.slice(0, 10)
}

/** `errand link`: a link that signs in one browser, once. */
export async function link(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], 'errand link')
  const link = await context.api().createSignInLink()
  context.stderr.write(`Signs in once, until ${new Date(link.expiresAt).toLocaleTimeString()}:\n`)
  context.print(link.url)
  for (const line of linkNotes(link, context.stderr, context.environment)) context.stderr.write(`${line}\n`)
  return EXIT.completed
}
