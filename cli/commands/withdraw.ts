import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { onlyOne, taskIdFor } from '../input/short-id.ts'
import { EXIT } from '../server/faults.ts'

/** `errand withdraw`: takes back a message that waits. */
export async function withdraw(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID', 'MESSAGE'], 'errand withdraw ID MESSAGE')
  const id = await taskIdFor(given[0] ?? '', context)
  const messageId = onlyOne('message', given[1] ?? '', await context.api().listMessages(id))
  await context.api().withdrawMessage(id, messageId)
  context.print('Withdrawn.')
  return EXIT.completed
}
