import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import { PutCredential } from '../../contract/api/api.ts'
import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean } from '../show/layout.ts'

const USAGE = 'errand credentials set HOST [--username NAME] < token | list | remove HOST'

/** `errand credentials`: access to git hosts where GitHub sign-in gives none. The command line never takes a token: other users could see it. */
export async function credentials([action, ...args]: readonly string[], context: Context): Promise<number> {
  if (action === 'set') return set(args, context)
  if (action === 'list') return list(args, context)
  if (action === 'remove') return remove(args, context)
  throw new Fault(EXIT.refused, `Usage: ${USAGE}`)
}

async function set(args: readonly string[], context: Context): Promise<number> {
  const { values, given } = readArguments(args, { username: { type: 'string' } } as const, ['HOST'], USAGE)
  const token = context.environment.ERRAND_GIT_TOKEN || (await tokenFromInput(context))
  const { username } = values
  const input = PutCredential.safeParse({ host: given[0], token: token.trim(), ...(username ? { username } : {}) })
  if (!input.success)
    throw new Fault(EXIT.refused, `${input.error.issues[0]?.path.join('.')}: ${input.error.issues[0]?.message}\nUsage: ${USAGE}`)
  await context.api().putCredential(input.data)
  context.print(`Stored encrypted. Errand uses it for repositories on ${input.data.host}.`)
  return EXIT.completed
}

async function tokenFromInput({ stdin, stderr, interrupted }: Context): Promise<string> {
  if (stdin.isTTY)
    stderr.write('Paste the token, then press Enter and Ctrl-D. (The token is visible as you type; use a pipe to hide it.)\n')
  const token = await text(addAbortSignal(interrupted, stdin))
  if (!token.trim())
    throw new Fault(EXIT.refused, 'No token on standard input. Example: errand credentials set github.com < token.txt')
  return token
}

async function list(args: readonly string[], context: Context): Promise<number> {
  readArguments(args, {}, [], USAGE)
  for (const { host, username, createdAt } of (await context.api().listCredentials()).items)
    context.print(`${host}  ${clean(username ?? '(no user name)')}  set ${createdAt.slice(0, 10)}`)
  return EXIT.completed
}

async function remove(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['HOST'], USAGE)
  await context.api().deleteCredential(given[0] ?? '')
  context.print('Removed.')
  return EXIT.completed
}
