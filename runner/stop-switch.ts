import type { StopCause } from './attempt-end.ts'
import type { LeaseCause } from './leases.ts'

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
  dispose: () => void
}

/** The agent keeps its own time and wraps up; this much later it is stopped from outside. */
const TIME_GRACE_MS = 30_000

/** To commit and push what there is, and say how it ended. What is no longer ours, or floods us, gets no time. */
export const SAVE_MS = 20_000
const GRACE_MS: Record<StopCause, number> = {
  cancelled: SAVE_MS,
  runner_stopped: SAVE_MS,
  time_exceeded: SAVE_MS,
  host_disk_full: SAVE_MS,
  flooded: 0,
  lost: 0,
}

type Options = { lease: AbortSignal; runnerStop: RunnerStop; timeLimitMs: number; timeGraceMs?: number }

export const stopSwitch = ({ lease, runnerStop, timeLimitMs, timeGraceMs = TIME_GRACE_MS }: Options): StopSwitch => {
  let cause: StopCause | null = null
  let flooded = false
  let act: ((graceMs: number) => void) | null = null

  const because = (given: StopCause) => {
    const floods = given === 'flooded' && !flooded
    if (cause && !floods) return
    cause ??= given
    flooded ||= floods
    act?.(graceOf(given))
  }
  const graceOf = (given: StopCause) => (runnerStop.now.aborted || flooded ? 0 : GRACE_MS[given])
  const onLease = () => because(lease.reason as LeaseCause)
  const onDrain = () => because('runner_stopped')
  const onNow = () => {
    because('runner_stopped')
    act?.(0)
  }
  const timer = setTimeout(() => because('time_exceeded'), timeLimitMs + timeGraceMs)
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
    dispose: () => {
      clearTimeout(timer)
      lease.removeEventListener('abort', onLease)
      runnerStop.drain.removeEventListener('abort', onDrain)
      runnerStop.now.removeEventListener('abort', onNow)
    },
  }
}
