import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import { EXIT } from '../server/faults.ts'
import { clean, clip } from '../show/layout.ts'
import { createScreen } from '../show/screen.ts'

/** `errand messages`: what was said to a task, and where each of it stands. */
export async function messages(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand messages ID')
  const said = await context.api().listMessages(await taskIdFor(given[0] ?? '', context))
  const screen = createScreen(context, () => [])
  const { width } = screen.look()
  screen.print(
    said.map(({ id, state, turn, text }) => {
      const place = turn === null ? state : `turn ${turn}`
      const head = `${id}  ${place.padEnd(9)}  `
      return head + clip(clean(text).replaceAll('\n', ' '), Math.max(16, width - head.length))
    }),
  )
  screen.stop()
  return EXIT.completed
}
