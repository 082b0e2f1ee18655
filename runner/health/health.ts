import type { Logger } from 'pino'
import { cutText } from '../../contract/shared/characters.ts'
import type { End } from '../../contract/wire/end.ts'
import type { Unwell } from '../../contract/wire/lease.ts'
import { within } from '../process/deadline.ts'
import { EngineFault } from '../sandbox/sandbox.ts'

/** Knows whether this host can run a sandbox. While it cannot, the runner takes no turns: each would only be interrupted. */
export type Health = {
  /** Undefined while it is well. */
  unwell: () => Unwell | undefined
  /** Checks the host before a turn is taken. @returns whether the runner may take it */
  mayTake: () => Promise<boolean>
  /** Takes note of how an attempt ended. */
  ended: (end: End) => void
  /** Takes note that an attempt failed with an unexpected error. */
  failed: (error: unknown) => void
  stop: () => void
}

type Options = {
  /** Checks everything that a sandbox needs from the host. @throws EngineFault, or Error for anything unexpected */
  check: () => Promise<void>
  /** The host became unwell, or well again. */
  onChange: (unwell: Unwell | undefined) => void
  log: Logger
  checkMs?: number
  lookAgainMs?: number
}

/** How long a check may take. A host that needs longer would need minutes to start a sandbox. */
const CHECK_MS = 20_000
/** How soon a host that is unwell is checked again. */
const LOOK_AGAIN_MS = 5_000
const LONGEST_REST_MS = 10 * 60_000
const MESSAGE_CHARS = 500

type State = {
  readonly options: Options
  readonly lookAgainMs: number
  unwell: Unwell | undefined
  /** Attempts in a row that a fault of this host interrupted. */
  faults: number
  timer: NodeJS.Timeout | undefined
  stopped: boolean
  /** One check at a time. */
  checking: Promise<boolean> | null
}

export function watchHealth(options: Options): Health {
  const state: State = {
    options,
    lookAgainMs: options.lookAgainMs ?? LOOK_AGAIN_MS,
    unwell: undefined,
    faults: 0,
    timer: undefined,
    stopped: false,
    checking: null,
  }
  return {
    unwell: () => state.unwell,
    mayTake: async () => {
      if (state.unwell) return false
      // Another attempt may have met a fault during the check.
      if (await checkOnce(state)) return !state.unwell
      checkAfter(state, state.lookAgainMs)
      return false
    },
    ended: (end) => {
      const fault = faultIn(end)
      if (fault) restAfter(state, fault)
      else state.faults = 0
    },
    failed: (error) => restAfter(state, unwellBy(error)),
    stop: () => {
      state.stopped = true
      clearTimeout(state.timer)
    },
  }
}

/**
 * Pure. How long a runner rests after a fault of its host, even if the check then finds nothing. A fault that the check misses interrupts a
 * task each time, so each rest is twice as long as the one before.
 * @param faults in a row, 1 or more
 */
export function restMs(faults: number, firstMs: number = LOOK_AGAIN_MS): number {
  return Math.min(LONGEST_REST_MS, firstMs * 2 ** (faults - 1))
}

function restAfter(state: State, fault: Unwell): void {
  state.faults += 1
  become(state, fault)
  checkAfter(state, restMs(state.faults, state.lookAgainMs))
}

function checkAfter(state: State, ms: number): void {
  clearTimeout(state.timer)
  if (state.stopped) return
  state.timer = setTimeout(async () => {
    if (await checkOnce(state)) become(state, undefined)
    else checkAfter(state, state.lookAgainMs)
  }, ms)
}

function checkOnce(state: State): Promise<boolean> {
  state.checking ??= check(state)
  return state.checking
}

async function check(state: State): Promise<boolean> {
  const { check, checkMs = CHECK_MS } = state.options
  try {
    await within(checkMs, check, () => throwSilent(checkMs))
    return true
  } catch (error) {
    become(state, unwellBy(error))
    return false
  } finally {
    state.checking = null
  }
}

function become(state: State, next: Unwell | undefined): void {
  const { unwell, stopped, options } = state
  if (stopped || (next?.reason === unwell?.reason && next?.message === unwell?.message)) return
  if (next) options.log.error({ event: 'runner.unwell', ...next })
  else options.log.info({ event: 'runner.well' })
  state.unwell = next
  options.onChange(next)
}

/** Pure. @returns the fault of this host that caused an end; null if there is none */
function faultIn(end: End): Unwell | null {
  if (end.outcome !== 'interrupted') return null
  const message = cutText(end.message ?? '', MESSAGE_CHARS)
  switch (end.reason) {
    case 'engine_unavailable':
    case 'image_missing':
    case 'host_disk_full':
      return { reason: end.reason, message }
    case 'runner_stopped':
      return { reason: 'runner_unwell', message }
    default:
      return null
  }
}

function unwellBy(error: unknown): Unwell {
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error))
  const reason = error instanceof EngineFault ? error.reason : code === 'ENOSPC' ? 'host_disk_full' : 'runner_unwell'
  return { reason, message: cutText(message, MESSAGE_CHARS) }
}

function throwSilent(checkMs: number): never {
  const seconds = Math.round(checkMs / 1_000)
  throw new EngineFault('engine_unavailable', `The Docker engine or the disk did not answer within ${seconds} s.`)
}
