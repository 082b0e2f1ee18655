import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { NOBODY_TAKES } from '../../contract/api/reason.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../server/faults.ts'
import { follow } from '../server/follow.ts'
import { addDelta, NO_TEXT, renderLive } from './live.ts'
import { nextSteps } from './next-steps.ts'
import { renderEvent, warning } from './render.ts'
import { createScreen } from './screen.ts'
import { advance, emptyView } from './view.ts'

/** How long a connection may be away before a word is said about it, milliseconds. */
const CALM_MS = 1_500

/**
 * Follows a task on the terminal until it ends. Ctrl-C leaves; the task goes on.
 * @param throughTurns whether a turn that a waiting message begins is followed too
 * @returns the exit code that tells the end
 */
export async function narrate(context: Context, task: Task, throughTurns = false): Promise<number> {
  let view = emptyView()
  let text = NO_TEXT
  let connected = true
  const screen = createScreen(context, (look, rows) =>
    view.end ? [] : renderLive(view, text, connected, Date.now(), look, rows),
  )
  const connection = calmly((back) => {
    connected = back
    if (!context.stdout.isTTY) screen.print([back ? '(connected again)' : '(connection lost, reconnecting…)'])
  })
  const warn = (why: string) => screen.print(warning(screen.look(), why))
  const sayWhyItWaits = onceEach(warn)
  const sayRefusal = onceEach(warn)
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
        if (event.type === 'message.received') sayWhyItWaits(runnerMissing(task))
      },
      onDelta: (delta) => {
        text = addDelta(text, delta)
      },
      onTask: (changed) => sayWhyItWaits(runnerMissing(changed)),
      onConnection: (back) => {
        if (back) sayRefusal(null)
        connection.changed(back)
      },
      onWait: sayRefusal,
    })
    screen.stop()
    if (end === 'left') return sayStillRunning(context, task.id)
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
  return end === 'left' ? sayStillRunning(context, task.id) : exitCodeOf(status)
}

function sayStillRunning({ stderr }: Context, taskId: string): number {
  stderr.write(`\nThe task is still running.\n  errand show --follow ${taskId}\n  errand cancel ${taskId}\n`)
  return EXIT.left
}

function exitCodeOf(status: string | undefined): number {
  return status === 'completed' ? EXIT.completed : status === 'cancelled' ? EXIT.cancelled : EXIT.failed
}

/** The reasons to wait that a person can do something about. */
function runnerMissing({ status, reason, reasonText }: Task): string | null {
  return status === 'pending' && reason !== null && NOBODY_TAKES.includes(reason) ? reasonText : null
}

/** Says something when it begins to hold, and not again until it has stopped. */
function onceEach(say: (what: string) => void) {
  let said: string | null = null
  return (what: string | null) => {
    if (what !== null && what !== said) say(what)
    said = what
  }
}

/** Tells of a change only when it lasts. */
function calmly(tell: (connected: boolean) => void) {
  let told = true
  let timer: NodeJS.Timeout | undefined
  const say = (connected: boolean) => {
    if (connected !== told) tell(connected)
    told = connected
  }
  return {
    changed: (connected: boolean) => {
      clearTimeout(timer)
      timer = undefined
      if (connected) say(true)
      else timer = setTimeout(() => say(false), CALM_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
