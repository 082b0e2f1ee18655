import type { Task } from '../../contract/api/api.ts'
import { TaskStatus } from '../../contract/api/status.ts'
import { DEMO_COST, STATUS_WORDS } from '../../contract/api/status-words.ts'
import { readArguments } from '../input/arguments.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'
import { clean, clip, columnsOf, type Format, type Look, money, paint } from '../show/layout.ts'
import { createScreen } from '../show/screen.ts'

/** `errand list`: the newest tasks, newest first. */
export async function list(args: readonly string[], context: Context): Promise<number> {
  const usage = `errand list [--status ${TaskStatus.options.map(wordOf).join('|')}]`
  const { values } = readArguments(args, { status: { type: 'string' } } as const, [], usage)
  const status = TaskStatus.options.find((one) => values.status === one || values.status === wordOf(one))
  if (values.status && !status) throw new Fault(EXIT.refused, `There is no status “${values.status}”.\nUsage: ${usage}`)
  const { items } = await context.api().listTasks(status ? { status } : {})
  const screen = createScreen(context, () => [])
  screen.print(items.map((task) => row(task, Date.now(), screen.look())))
  screen.stop()
  if (items.length === 0) context.stderr.write('No tasks yet. Send one: errand run --repo URL "PROMPT"\n')
  return EXIT.completed
}

function wordOf(status: TaskStatus): string {
  return STATUS_WORDS[status].toLowerCase()
}

const FORMATS: Readonly<Record<TaskStatus, Format>> = {
  pending: 'dim',
  running: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
}

function row(task: Task, now: number, look: Look): string {
  const status = paint(look, FORMATS[task.status], wordOf(task.status).padEnd(9))
  const age = `${roughly(now - Date.parse(task.createdAt))} ago`
  const cost = task.demo ? DEMO_COST : money(task.usage.costUsd)
  const facts = [age.padStart(10), cost.padStart(DEMO_COST.length)].join('  ')
  const room = Math.max(16, look.width - task.id.length - 9 - facts.length - 6)
  const prompt = clip(clean(task.prompt), room)
  return `${task.id}  ${status}  ${prompt}${' '.repeat(room - columnsOf(prompt))}  ${paint(look, 'dim', facts)}`
}

function roughly(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 1) return 'seconds'
  if (minutes < 60) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`
}
