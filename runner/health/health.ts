import type { Logger } from 'pino'
import type { Unwell } from '../../contract/wire/lease.ts'
import type { AttemptEnd } from '../attempt/attempt-end.ts'
import { within } from '../process/deadline.ts'
import { EngineFault } from '../sandbox/sandbox.ts'

/** Whether this host can run a sandbox. While it cannot, the runner takes nothing: what it took would only be interrupted. */
export type Health = {
  /** Undefined while it is well. */
  unwell: () => Unwell | undefined
  /** Looks before a turn is taken. @returns whether it may be */
  mayTake: () => Promise<boolean>
  /** Tells how an attempt ended, or that it failed with an error. */
  ended: (how: AttemptEnd | Error) => void
  stop: () => void
}

type Options = {
  /** Everything that a sandbox needs of the host. @throws EngineFault, or Error for what nobody expected */
  check: () => Promise<void>
  /** It became unwell, or well again. */
  onChange: (unwell: Unwell | undefined) => void
  log: Logger
  checkMs?: number
  lookAgainMs?: number
}

/** How long a check may take. A host that needs longer would need minutes to start a sandbox. */
const CHECK_MS = 20_000
/** How soon a host that is unwell is looked at again. */
const LOOK_AGAIN_MS = 5_000
const LONGEST_REST_MS = 10 * 60_000
const MESSAGE_CHARS = 500

/**
 * Pure. How long a runner rests after a fault of its host, whatever the check says by then: a fault that the check does not see interrupts
 * a task each time, so each takes twice as long as the one before.
 * @param faults in a row, 1 or more
 */
export function restMs(faults: number, firstMs: number = LOOK_AGAIN_MS): number {
  return Math.min(LONGEST_REST_MS, firstMs * 2 ** (faults - 1))
}

export function watchHealth(options: Options): Health {
  const { check, onChange, log, checkMs = CHECK_MS, lookAgainMs = LOOK_AGAIN_MS } = options
  let unwell: Unwell | undefined
  let faults = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let looking: Promise<boolean> | null = null

  const become = (next: Unwell | undefined) => {
    if (stopped || (next?.reason === unwell?.reason && next?.message === unwell?.message)) return
    if (next) log.error({ event: 'runner.unwell', ...next })
    else log.info({ event: 'runner.well' })
    unwell = next
    onChange(next)
  }
  const look = async (): Promise<boolean> => {
    try {
      await within(checkMs, check, () => throwSilent(checkMs))
      return true
    } catch (error) {
      become(unwellOf(error))
      return false
    } finally {
      looking = null
    }
  }
  const lookOnce = () => {
    looking ??= look()
    return looking
  }
  const rest = (ms: number) => {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(async () => {
      if (await lookOnce()) become(undefined)
      else rest(lookAgainMs)
    }, ms)
  }

  return {
    unwell: () => unwell,
    mayTake: async () => {
      if (unwell) return false
      // Meanwhile an attempt beside this one may have met a fault.
      if (await lookOnce()) return !unwell
      rest(lookAgainMs)
      return false
    },
    ended: (how) => {
      const fault = faultIn(how)
      if (!fault) {
        faults = 0
        return
      }
      faults += 1
      become(fault)
      rest(restMs(faults, lookAgainMs))
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Pure. @returns what an end says of the host; null when it says nothing bad */
function faultIn(how: AttemptEnd | Error): Unwell | null {
  if (how instanceof Error) return unwellOf(how)
  if (how.outcome !== 'interrupted') return null
  const message = (how.message ?? '').slice(0, MESSAGE_CHARS)
  switch (how.reason) {
    case 'engine_unavailable':
    case 'image_missing':
    case 'host_disk_full':
      return { reason: how.reason, message }
    case 'runner_stopped':
      return { reason: 'runner_unwell', message }
    default:
      return null
  }
}

function unwellOf(error: unknown): Unwell {
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error))
  const reason = error instanceof EngineFault ? error.reason : code === 'ENOSPC' ? 'host_disk_full' : 'runner_unwell'
  return { reason, message: message.slice(0, MESSAGE_CHARS) }
}

function throwSilent(checkMs: number): never {
  const seconds = Math.round(checkMs / 1_000)
  throw new EngineFault('engine_unavailable', `The Docker engine or the disk did not answer within ${seconds} s.`)
}
