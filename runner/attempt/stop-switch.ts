import { COORDINATOR_AWAY_MS, SAVE, SAVE_MS, TIME_UP } from '../../contract/wire/deadlines.ts'
import type { LeaseCause } from '../lease/holding.ts'
import type { StopCause } from './attempt-end.ts'

/** How the runner itself is being stopped. */
export type RunnerStop = {
  /** Let the agents save their work, report, and end. */
  drain: AbortSignal
  /** Wait for nothing. */
  now: AbortSignal
}

/** Everything that can stop one attempt, as one thing: the first cause counts. A flood is stopped at once whatever came before it. */
export type StopSwitch = {
  cause: () => StopCause | null
  flooded: () => boolean
  because: (cause: StopCause) => void
  /** Calls `act` with how long the agent may take to save its work: at once when there is a cause already, and again with 0 for "now". */
  whenStopped: (act: (graceMs: number) => void) => () => void
  /**
   * Does what waits for the coordinator. The time limit stands still meanwhile: the wait is not the task's doing. Waits of more than
   * {@link COORDINATOR_AWAY_MS} together are a cause to stop.
   * @param wait gets a signal that aborts with `gone`, or soon after a cause to stop, which leaves no time to wait
   */
  whileAway: <T>(gone: AbortSignal, wait: (gone: AbortSignal) => Promise<T>) => Promise<T>
  dispose: () => void
}

/** To commit and push what there is, and say how it ended. What is no longer ours, or floods us, gets no time. */
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
  lease: AbortSignal
  runnerStop: RunnerStop
  timeLimitMs: number
  timeGraceMs?: number
  awayMs?: number
}

export function stopSwitch(options: Options): StopSwitch {
  const { lease, runnerStop, timeLimitMs, timeGraceMs = TIME_UP.overtimeMs, awayMs = COORDINATOR_AWAY_MS } = options
  let cause: StopCause | null = null
  let flooded = false
  let act: ((graceMs: number) => void) | null = null
  let disposed = false

  const because = (given: StopCause) => {
    const floods = given === 'flooded' && !flooded
    if (cause && !floods) return
    cause ??= given
    flooded ||= floods
    for (const one of waiting) one.hurry()
    act?.(graceOf(given))
  }
  const graceOf = (given: StopCause) => (runnerStop.now.aborted || flooded ? 0 : GRACE_MS[given])
  const onLease = () => because(lease.reason as LeaseCause)
  const onDrain = () => because('runner_stopped')
  const onNow = () => {
    because('runner_stopped')
    act?.(0)
  }
  const limit = stoppableTimer(timeLimitMs + timeGraceMs, () => because('time_exceeded'))
  const away = stoppableTimer(awayMs, () => because('coordinator_away'))
  const waiting = new Set<Patience>()
  limit.run()
  lease.addEventListener('abort', onLease)
  runnerStop.drain.addEventListener('abort', onDrain)
  runnerStop.now.addEventListener('abort', onNow)
  if (lease.aborted) onLease()
  if (runnerStop.drain.aborted || runnerStop.now.aborted) onDrain()

  return {
    cause: () => cause,
    flooded: () => flooded,
    because,
    whenStopped: (given) => {
      act = given
      if (cause) given(graceOf(cause))
      return () => {
        act = null
      }
    },
    whileAway: async (gone, wait) => {
      const patience = openPatience(gone)
      waiting.add(patience)
      if (cause) patience.hurry()
      limit.stop()
      away.run()
      try {
        return await wait(patience.signal)
      } finally {
        patience.dispose()
        waiting.delete(patience)
        if (waiting.size === 0) {
          away.stop()
          if (!disposed) limit.run()
        }
      }
    },
    dispose: () => {
      disposed = true
      for (const timer of [limit, away]) timer.stop()
      lease.removeEventListener('abort', onLease)
      runnerStop.drain.removeEventListener('abort', onDrain)
      runnerStop.now.removeEventListener('abort', onNow)
    },
  }
}

/** Counts only while it runs. */
function stoppableTimer(ms: number, onEnd: () => void) {
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
