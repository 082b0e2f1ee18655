import { randomUUID } from 'node:crypto'
import { SendMessage } from '../../contract/api/api.ts'
import type { Context } from '../context.ts'
import { readArguments } from '../input/arguments.ts'
import { readText, TEXT_OPTIONS } from '../input/read-text.ts'
import { taskIdFor } from '../input/short-id.ts'
import { EXIT, Fault } from '../server/faults.ts'

const USAGE = 'errand message ID [--queue | --stop] "what to say" | - | --file PATH'
const OPTIONS = { queue: { type: 'boolean' }, stop: { type: 'boolean' }, ...TEXT_OPTIONS } as const

/** `errand message`: to the running turn between two tools, or as the next turn; with `--stop` the running one ends for it. */
export async function message(args: readonly string[], context: Context): Promise<number> {
  const { values, given } = readArguments(args, OPTIONS, ['ID', '“what to say”…'], USAGE)
  const [task = '', words] = given
  const input = SendMessage.safeParse({
    text: await readText(words, values.file, context),
    mode: values.queue || values.stop ? 'queue' : 'steer',
    ...(values.stop && { stopFirst: true }),
    clientId: randomUUID(),
  })
  if (!input.success) throw new Fault(EXIT.refused, `message: ${input.error.issues[0]?.message}\nUsage: ${USAGE}`)
  const id = await taskIdFor(task, context)
  const sent = await context.api().sendMessage(id, input.data)
  context.print(`Sent (${sent.id}). To see what comes of it: errand show --follow ${id}`)
  return EXIT.completed
}
