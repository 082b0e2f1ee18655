import type { Task } from '../../contract/api.ts'
import { TaskStatus } from '../../contract/status.ts'
import { readArguments } from '../arguments.ts'
import type { Context } from '../context.ts'
import { EXIT, Fault } from '../faults.ts'
import { clean, clip, duration, type Format, type Look, money, paint } from '../layout.ts'
import { createScreen } from '../screen.ts'

/** `errand list`: the newest tasks, newest first. */
export const list = async (args: readonly string[], context: Context): Promise<number> => {
  const usage = `errand list [--status ${TaskStatus.options.join('|')}]`
  const { values } = readArguments(args, { status: { type: 'string' } } as const, [], usage)
  if (values.status && !TaskStatus.safeParse(values.status).success)
    throw new Fault(EXIT.refused, `There is no status “${values.status}”.\nUsage: ${usage}`)
  const { items } = await context.api().listTasks(values.status ? { status: values.status } : {})
  const screen = createScreen(context, () => [])
  screen.print(items.map((task) => row(task, Date.now(), screen.look())))
  screen.stop()
  if (items.length === 0) context.stderr.write('No tasks here yet. Send one: errand run --repo URL "what to do"\n')
  return EXIT.completed
}

const FORMATS: Readonly<Record<TaskStatus, Format>> = {
  pending: 'dim',
  running: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
}

const row = (task: Task, now: number, look: Look): string => {
  const status = paint(look, FORMATS[task.status], task.status.padEnd(9))
  const age = `${duration(Math.max(0, now - Date.parse(task.createdAt)))} ago`
  const facts = [age, money(task.usage.costUsd), ...(task.demo ? ['DEMO'] : [])].join(' · ')
  const room = look.width - task.id.length - 9 - facts.length - 6
  return `${task.id}  ${status}  ${clip(clean(task.prompt), Math.max(16, room))}  ${paint(look, 'dim', facts)}`
}
