import type { Logger } from 'pino'
import { COORDINATOR_AWAY_MS, SAVE, SAVE_MS, TIME_UP } from '../../contract/wire/deadlines.ts'
import type { StopCause } from './attempt-end.ts'

/** The ways in which the runner itself is stopped. */
export type RunnerStop = {
  /** Let the sandboxes run on without this process: the next one takes them over. */
  leave: AbortSignal
  /** Let the agents save their work, report, and end. */
  drain: AbortSignal
  /** Wait for nothing. */
  now: AbortSignal
}

/** The one switch for everything that can stop an attempt: the first cause counts. A flood stops it at once, whatever came before. */
export type StopSwitch = {
  cause: () => StopCause | null
  flooded: () => boolean
  because: (cause: StopCause) => void
  /**
   * Calls `act` with the time that the agent gets to save its work: at once if there is already a cause, and again with 0 for "now".
   * @returns a function that ends this
   */
  whenStopped: (act: (graceMs: number) => void) => () => void
  /**
   * Does something that waits for the coordinator. The time limit pauses meanwhile, because the wait is not the task's fault. All such
   * waits together may take {@link COORDINATOR_AWAY_MS}; more is a cause to stop.
   * @param wait gets a signal that aborts with `gone`, or soon after a cause to stop, because then there is no time to wait
   */
  whileAway: <T>(gone: AbortSignal, wait: (gone: AbortSignal) => Promise<T>) => Promise<T>
  dispose: () => void
}

/** How long the agent may save its work. An attempt that is no longer ours, or that floods us, gets no time. */
const GRACE_MS: Record<StopCause, number> = {
  cancelled: SAVE_MS,
  runner_stopped: SAVE_MS,
  time_exceeded: SAVE_MS,
  host_disk_full: SAVE_MS,
  coordinator_away: SAVE_MS,
  flooded: 0,
  lost: 0,
}

type Options = {
  runnerStop: RunnerStop
  timeLimitMs: number
  log: Logger
  timeGraceMs?: number
  awayMs?: number
}

type State = {
  readonly runnerStop: RunnerStop
  readonly log: Logger
  readonly limit: StoppableTimer
  readonly away: StoppableTimer
  /** The current waits for the coordinator. */
  readonly waiting: Set<Patience>
  cause: StopCause | null
  flooded: boolean
  act: ((graceMs: number) => void) | null
  disposed: boolean
}

export function openStopSwitch(options: Options): StopSwitch {
  const { runnerStop, timeLimitMs, log, timeGraceMs = TIME_UP.overtimeMs, awayMs = COORDINATOR_AWAY_MS } = options
  const limit = createStoppableTimer(timeLimitMs + timeGraceMs, () => because(state, 'time_exceeded'))
  const away = createStoppableTimer(awayMs, () => because(state, 'coordinator_away'))
  const state: State = {
    runnerStop,
    log,
    limit,
    away,
    waiting: new Set(),
    cause: null,
    flooded: false,
    act: null,
    disposed: false,
  }
  limit.run()
  const unbind = followRunner(state)
  return {
    cause: () => state.cause,
    flooded: () => state.flooded,
    because: (cause) => because(state, cause),
    whenStopped: (act) => {
      state.act = act
      if (state.cause) act(graceOf(state, state.cause))
      return () => {
        state.act = null
      }
    },
    whileAway: (gone, wait) => whileAway(state, gone, wait),
    dispose: () => {
      state.disposed = true
      limit.stop()
      away.stop()
      unbind()
    },
  }
}

function because(state: State, cause: StopCause): void {
  const startsFlooding = cause === 'flooded' && !state.flooded
  if (state.cause && !startsFlooding) return
  state.log.info({ event: 'attempt.stopping', cause })
  state.cause ??= cause
  state.flooded ||= startsFlooding
  for (const patience of state.waiting) patience.hurry()
  state.act?.(graceOf(state, cause))
}

function graceOf({ runnerStop, flooded }: State, cause: StopCause): number {
  return runnerStop.now.aborted || flooded ? 0 : GRACE_MS[cause]
}

/** @returns a function that ends this */
function followRunner(state: State): () => void {
  const { drain, now } = state.runnerStop
  const onDrain = () => because(state, 'runner_stopped')
  const onNow = () => {
    because(state, 'runner_stopped')
    state.act?.(0)
  }
  drain.addEventListener('abort', onDrain)
  now.addEventListener('abort', onNow)
  if (drain.aborted || now.aborted) onDrain()
  return () => {
    drain.removeEventListener('abort', onDrain)
    now.removeEventListener('abort', onNow)
  }
}

async function whileAway<T>(state: State, gone: AbortSignal, wait: (gone: AbortSignal) => Promise<T>): Promise<T> {
  const patience = openPatience(gone)
  state.waiting.add(patience)
  if (state.cause) patience.hurry()
  state.limit.stop()
  state.away.run()
  try {
    return await wait(patience.signal)
  } finally {
    patience.dispose()
    state.waiting.delete(patience)
    if (state.waiting.size === 0) {
      state.away.stop()
      if (!state.disposed) state.limit.run()
    }
  }
}

type StoppableTimer = { run: () => void; stop: () => void }

/** A timer that counts only while it runs. */
function createStoppableTimer(ms: number, onEnd: () => void): StoppableTimer {
  let leftMs = ms
  let since = 0
  let timer: NodeJS.Timeout | null = null
  return {
    run: () => {
      if (timer) return
      since = performance.now()
      timer = setTimeout(onEnd, Math.max(0, leftMs))
    },
    stop: () => {
      if (!timer) return
      clearTimeout(timer)
      timer = null
      leftMs -= performance.now() - since
    },
  }
}

type Patience = { signal: AbortSignal; hurry: () => void; dispose: () => void }

function openPatience(gone: AbortSignal): Patience {
  const end = new AbortController()
  const abort = () => end.abort()
  let timer: NodeJS.Timeout | undefined
  gone.addEventListener('abort', abort)
  if (gone.aborted) abort()
  return {
    signal: end.signal,
    hurry: () => {
      timer ??= setTimeout(abort, SAVE.leaseWaitMs)
    },
    dispose: () => {
      clearTimeout(timer)
      gone.removeEventListener('abort', abort)
    },
  }
}
