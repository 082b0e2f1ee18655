import { addOutput, type LiveOutput } from '../../client/feed.ts'
import { newerTask } from '../../client/task-summary.ts'
import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { NOBODY_TAKES } from '../../contract/api/reason.ts'
import type { Context } from '../server/context.ts'
import { EXIT } from '../server/faults.ts'
import { follow } from '../server/follow.ts'
import { addDelta, NO_TEXT, renderLive } from './live.ts'
import { renderEvent, warning } from './render.ts'
import { nextSteps } from './render-end.ts'
import { createScreen } from './screen.ts'
import { advance, emptyView } from './view.ts'

/** How long a lost connection goes unmentioned, in milliseconds. */
const CALM_MS = 1_500

/**
 * Follows a task on the terminal until it ends. Ctrl-C leaves; the task goes on.
 * @param throughTurns also follow the turns that waiting messages start
 * @returns the exit code for how the task ended
 */
export async function narrate(context: Context, task: Task, throughTurns = false): Promise<number> {
  let view = emptyView()
  let text = NO_TEXT
  let output: LiveOutput | null = null
  let account = task
  let connected = true
  const screen = createScreen(context, (look, rows) =>
    view.end ? [] : renderLive(view, { ...text, output, money: account }, connected, Date.now(), look, rows),
  )
  const connection = calmly((back) => {
    connected = back
    if (!context.stdout.isTTY) screen.print([back ? '(reconnected)' : '(connection lost, reconnecting…)'])
  })
  const warn = (why: string) => screen.print(warning(screen.look(), why))
  const warnOfWait = onceEach(warn)
  const warnOfRefusal = onceEach(warn)
  try {
    const end = await follow({
      server: context.server(),
      taskId: task.id,
      turn: task.turn,
      throughTurns,
      signal: context.interrupted,
      onEvent: (event) => {
        const lines = renderEvent(view, event, screen.look())
        view = advance(view, event)
        if (event.type === 'text.written' || event.type === 'attempt.started') text = NO_TEXT
        screen.print(lines)
        if (event.type === 'message.received') warnOfWait(runnerMissing(task))
      },
      onDelta: (delta) => {
        if (delta.callId === undefined) text = addDelta(text, delta)
        else output = addOutput(output, delta)
      },
      onTask: (changed) => {
        account = newerTask(account, changed)
        warnOfWait(runnerMissing(changed))
      },
      onConnection: (back) => {
        if (back) warnOfRefusal(null)
        connection.changed(back)
      },
      onWait: warnOfRefusal,
    })
    screen.stop()
    if (end === 'left') return printStillRunning(context, task.id)
    screen.print(nextSteps(view, context.server(), screen.look()))
    return exitCodeOf(view.end?.status)
  } finally {
    connection.stop()
    screen.stop()
  }
}

/** Follows a task and prints every event as one line of JSON, and nothing else. */
export async function narrateAsJson(context: Context, task: Task, throughTurns = false): Promise<number> {
  let status: string | undefined
  const end = await follow({
    server: context.server(),
    taskId: task.id,
    turn: task.turn,
    throughTurns,
    signal: context.interrupted,
    onWait: onceEach((why: string) => context.stderr.write(`${why}\n`)),
    onEvent: (event: TaskEvent) => {
      if (event.type === 'task.ended') status = event.data.status
      context.stdout.write(`${JSON.stringify(event)}\n`)
    },
  })
  return end === 'left' ? printStillRunning(context, task.id) : exitCodeOf(status)
}

function printStillRunning({ stderr }: Context, taskId: string): number {
  stderr.write(`\nThe task is still running.\n  errand show --follow ${taskId}\n  errand cancel ${taskId}\n`)
  return EXIT.left
}

function exitCodeOf(status: string | undefined): number {
  return status === 'completed' ? EXIT.completed : status === 'cancelled' ? EXIT.cancelled : EXIT.failed
}

/** The reason for waiting, if the user can do something about it. */
function runnerMissing({ status, reason, reasonText }: Task): string | null {
  return status === 'pending' && reason !== null && NOBODY_TAKES.includes(reason) ? reasonText : null
}

/** Prints a warning when it starts to apply, and not again until it has changed. */
function onceEach(print: (warning: string) => void) {
  let last: string | null = null
  return (warning: string | null) => {
    if (warning !== null && warning !== last) print(warning)
    last = warning
  }
}

/** Reports a lost connection only if it stays lost for a while. */
function calmly(report: (connected: boolean) => void) {
  let reported = true
  let timer: NodeJS.Timeout | undefined
  const update = (connected: boolean) => {
    if (connected !== reported) report(connected)
    reported = connected
  }
  return {
    changed: (connected: boolean) => {
      clearTimeout(timer)
      timer = undefined
      if (connected) update(true)
      else timer = setTimeout(() => update(false), CALM_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
