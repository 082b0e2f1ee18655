import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { readArguments } from '../arguments.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../faults.ts'
import { clean, type Format, paint } from '../layout.ts'
import { createScreen } from '../screen.ts'
import { taskIdFor } from '../short-id.ts'

/** `errand diff`: the patch of a task; byte for byte when it goes to a file or a pipe. */
export async function diff(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand diff ID')
  const patch = await context.api().diff(await taskIdFor(given[0] ?? '', context))
  if (!context.stdout.isTTY) {
    await pipeline(patch, context.stdout, { end: false })
    return EXIT.completed
  }
  const screen = createScreen(context, () => [])
  const lines = clean(await text(patch)).split('\n')
  context.print(lines.map((line) => paint(screen.look(), formatOf(line), line)).join('\n'))
  screen.stop()
  return EXIT.completed
}

function formatOf(line: string): Format[] {
  if (/^(diff|index|---|\+\+\+|new file|deleted file|similarity|rename) /.test(line)) return ['bold']
  if (line.startsWith('@@')) return ['cyan']
  if (line.startsWith('+')) return ['green']
  return line.startsWith('-') ? ['red'] : []
}
