import { readArguments } from '../input/arguments.ts'
import { taskIdFor } from '../input/short-id.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'
import { money } from '../show/layout.ts'
import { narrate, narrateAsJson } from '../show/narrate.ts'
import { renderEvent } from '../show/render.ts'
import { nextSteps } from '../show/render-end.ts'
import { createScreen } from '../show/screen.ts'
import { advance, emptyView } from '../show/view.ts'

/** `errand show`: the history of a task; with `--follow`, live until the task ends. */
export async function show(args: readonly string[], context: Context): Promise<number> {
  const options = { json: { type: 'boolean' }, follow: { type: 'boolean' } } as const
  const { values, given } = readArguments(args, options, ['ID'], 'errand show ID [--json] [--follow]')
  const id = await taskIdFor(given[0] ?? '', context)
  if (values.follow) {
    const task = await context.api().findTask(id)
    return values.json ? narrateAsJson(context, task, true) : narrate(context, task, true)
  }
  if (!values.json) return print(id, context)
  for await (const event of context.api().allEvents(id)) context.print(JSON.stringify(event))
  return EXIT.completed
}

async function print(id: string, context: Context): Promise<number> {
  const screen = createScreen(context, () => [])
  let view = emptyView()
  try {
    for await (const event of context.api().allEvents(id)) {
      screen.print(renderEvent(view, event, screen.look()))
      view = advance(view, event)
    }
    if (view.end) screen.print(nextSteps(view, context.server(), screen.look()))
    else screen.print(await underWay(id, context))
    return EXIT.completed
  } finally {
    screen.stop()
  }
}

/** What the end of a task says of its cost, while there is no end. */
async function underWay(id: string, context: Context): Promise<string[]> {
  const { demo, usage, budgetUsd } = await context.api().findTask(id)
  const spent = demo ? [] : [`Spent ${money(usage.costUsd)} of ${money(budgetUsd)}.`]
  return ['', ...spent, `The task has not ended. Follow it with: errand show --follow ${id}`]
}
