import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { send } from './run.ts'

/** `errand demo`: the first of the demo repository's example tasks. */
export async function demo(args: readonly string[], context: Context): Promise<number> {
  const options = { json: { type: 'boolean' }, detach: { type: 'boolean' } } as const
  const { values } = readArguments(args, options, [], 'errand demo [--json] [--detach]')
  const { demoRepoUrl } = await context.api().me()
  return send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test.' }, values, context)
}
