import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean, type Format, paint } from '../show/layout.ts'
import { createScreen } from '../show/screen.ts'

/** `errand diff`: the patch of a task, byte for byte if it goes to a file or a pipe. */
export async function diff(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand diff ID')
  const patch = await context.api().readDiff(await taskIdFor(given[0] ?? '', context))
  if (!context.stdout.isTTY) {
    await pipeline(patch, context.stdout, { end: false })
    return EXIT.completed
  }
  const lines = clean(await text(patch)).split('\n')
  const screen = createScreen(context, () => [])
  context.print(lines.map((line) => paint(screen.look(), formatOf(line), line)).join('\n'))
  screen.stop()
  return EXIT.completed
}

/** `errand bundle`: the work that could not be pushed, as a git bundle. */
export async function bundle(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand bundle ID > work.bundle')
  const id = await taskIdFor(given[0] ?? '', context)
  if (context.stdout.isTTY)
    throw new Fault(
      EXIT.refused,
      `A bundle is a binary file. Write it to a file and fetch from it:\n  errand bundle ${id} > work.bundle\n  git fetch work.bundle 'refs/*:refs/errand/*'`,
    )
  await pipeline(await context.api().readBundle(id), context.stdout, { end: false })
  return EXIT.completed
}

function formatOf(line: string): Format[] {
  if (/^(diff|index|---|\+\+\+|new file|deleted file|similarity|rename) /.test(line)) return ['bold']
  if (line.startsWith('@@')) return ['cyan']
  if (line.startsWith('+')) return ['green']
  return line.startsWith('-') ? ['red'] : []
}
