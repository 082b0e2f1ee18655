import { randomUUID } from 'node:crypto'
import { SendMessage } from '../../contract/api/api.ts'
import { readArguments } from '../input/arguments.ts'
import { readText, TEXT_OPTIONS } from '../input/read-text.ts'
import { onlyOne, taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean, clip } from '../show/layout.ts'
import { createScreen } from '../show/screen.ts'

const USAGE = 'errand message ID [--queue | --stop] "TEXT" | - | --file PATH'
const OPTIONS = { queue: { type: 'boolean' }, stop: { type: 'boolean' }, ...TEXT_OPTIONS } as const

/** `errand message`: steers the running turn or starts the next one. With `--stop`, the running turn ends first. */
export async function message(args: readonly string[], context: Context): Promise<number> {
  const { values, given } = readArguments(args, OPTIONS, ['ID', 'TEXT…'], USAGE)
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
  context.print(`Sent (${sent.id}). Follow it with: errand show --follow ${id}`)
  return EXIT.completed
}

/** `errand messages`: the user's messages to a task, each with its state. */
export async function messages(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand messages ID')
  const { items: messages } = await context.api().listMessages(await taskIdFor(given[0] ?? '', context))
  const screen = createScreen(context, () => [])
  const { width } = screen.look()
  screen.print(
    messages.map(({ id, state, turn, text }) => {
      const place = turn === null ? state : `turn ${turn}`
      const head = `${id}  ${place.padEnd(9)}  `
      return head + clip(clean(text).replaceAll('\n', ' '), Math.max(16, width - head.length))
    }),
  )
  screen.stop()
  return EXIT.completed
}

/** `errand withdraw`: withdraws a waiting message. */
export async function withdraw(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID', 'MESSAGE'], 'errand withdraw ID MESSAGE')
  const id = await taskIdFor(given[0] ?? '', context)
  const messageId = onlyOne('Message', given[1] ?? '', (await context.api().listMessages(id)).items)
  await context.api().withdrawMessage(id, messageId)
  context.print('Withdrawn.')
  return EXIT.completed
}
