import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'

/** `errand cancel`: cancels a task. Its work so far stays on its branch. */
export async function cancel(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand cancel ID')
  const id = await taskIdFor(given[0] ?? '', context)
  const task = await context.api().cancelTask(id)
  context.print(task.status === 'cancelled' ? 'Cancelled.' : `Cancelling. Follow it with: errand show --follow ${id}`)
  return EXIT.completed
}
