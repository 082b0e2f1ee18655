import { pipeline } from 'node:stream/promises'
import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import { EXIT, Fault } from '../server/faults.ts'

/** `errand bundle`: the work of a task that could not be pushed, as a git bundle. */
export async function bundle(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand bundle ID > work.bundle')
  const id = await taskIdFor(given[0] ?? '', context)
  if (context.stdout.isTTY)
    throw new Fault(
      EXIT.refused,
      `A bundle is not for reading. Write it to a file, and fetch from that:\n  errand bundle ${id} > work.bundle\n  git fetch work.bundle 'refs/*:refs/errand/*'`,
    )
  await pipeline(await context.api().bundle(id), context.stdout, { end: false })
  return EXIT.completed
}
