import { readArguments } from '../arguments.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../faults.ts'

/** `errand withdraw`: takes back a message that waits. */
export const withdraw = async (args: readonly string[], context: Context): Promise<number> => {
  const { given } = readArguments(args, {}, ['ID', 'MESSAGE'], 'errand withdraw ID MESSAGE')
  const [id = '', messageId = ''] = given
  await context.api().withdrawMessage(id, messageId)
  context.print('Withdrawn.')
  return EXIT.completed
}
