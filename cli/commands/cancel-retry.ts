import { randomUUID } from 'node:crypto'
import { ChangeTask, RetryTask } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { money } from '../show/layout.ts'

/** `errand cancel`: cancels a task. Its work so far stays on its branch. */
export async function cancel(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID'], 'errand cancel ID')
  const id = await taskIdFor(given[0] ?? '', context)
  const task = await context.api().cancelTask(id)
  context.print(task.status === 'cancelled' ? 'Cancelled.' : `Cancelling. Follow it with: errand show --follow ${id}`)
  return EXIT.completed
}

const USAGE = 'errand retry ID [--model MODEL] [--effort low|medium|high] [--budget USD]'

const OPTION_OF: Readonly<Record<string, string>> = { model: '--model', effort: '--effort', budgetUsd: '--budget' }

/** `errand retry`: runs the last turn of an ended task again. `--budget` adds to the remaining budget. */
export async function retry(args: readonly string[], context: Context): Promise<number> {
  const options = { model: { type: 'string' }, effort: { type: 'string' }, budget: { type: 'string' } } as const
  const { values, given } = readArguments(args, options, ['ID'], USAGE)
  const id = await taskIdFor(given[0] ?? '', context)
  const { model, effort, budget } = values
  const input = RetryTask.safeParse({
    ...(model ? { model } : {}),
    ...(effort ? { effort } : {}),
    ...(budget === undefined ? {} : { budgetUsd: Number(budget) }),
  })
  if (!input.success) {
    const [issue] = input.error.issues
    throw new Fault(EXIT.refused, `${OPTION_OF[String(issue?.path[0])] ?? '--budget'}: ${issue?.message}\nUsage: ${USAGE}`)
  }
  const task = await context.api().retryTask(id, { ...input.data, clientId: randomUUID() })
  context.print(`Turn ${task.turn} is waiting. Follow it with: errand show --follow ${id}`)
  return EXIT.completed
}

const BUDGET_USAGE = 'errand budget ID USD | +USD'

/** `errand budget`: sets how much a task may cost in all, also while it runs; `+USD` adds to it. */
export async function budget(args: readonly string[], context: Context): Promise<number> {
  const { given } = readArguments(args, {}, ['ID', 'USD'], BUDGET_USAGE)
  const [short = '', text = ''] = given
  const id = await taskIdFor(short, context)
  const before = text.startsWith('+') ? (await context.api().findTask(id)).budgetUsd : 0
  const input = ChangeTask.safeParse({ budgetUsd: before + Number(text) })
  if (!input.success) throw new Fault(EXIT.refused, `USD: ${input.error.issues[0]?.message}\nUsage: ${BUDGET_USAGE}`)
  const task = await context.api().changeTask(id, input.data)
  context.print(`Spent ${money(task.usage.costUsd)} of ${money(task.budgetUsd)}.`)
  if (isEnded(task.status)) context.print(`The task has ended. Continue it with: errand retry ${id}`)
  return EXIT.completed
}
