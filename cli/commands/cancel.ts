import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import { EXIT } from '../server/faults.ts'

/** `errand cancel`: asks for the end of a task. What was done so far is kept on its branch. */
export async function cancel(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand cancel ID')
  const id = await taskIdFor(given[0] ?? '', context)
  const task = await context.api().cancelTask(id)
  context.print(task.status === 'cancelled' ? 'Cancelled.' : `Asked to stop. To see it end: errand show --follow ${id}`)
  return EXIT.completed
}
