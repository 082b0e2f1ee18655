import type { Reason } from '../../contract/api/reason.ts'
import { cutText } from '../../contract/shared/characters.ts'
import type { End } from '../../contract/wire/end.ts'
import { EXIT } from '../../contract/wire/sandbox.ts'
import type { SandboxEnd } from '../sandbox/sandbox.ts'

/** Why we stopped the sandbox ourselves. The first cause counts. */
export type StopCause =
  | 'cancelled'
  | 'lost'
  | 'runner_stopped'
  | 'time_exceeded'
  | 'flooded'
  | 'host_disk_full'
  | 'coordinator_away'

/** The host's fault: the task could not help it. */
export type HostFault = { reason: 'engine_unavailable' | 'image_missing' | 'host_disk_full' | 'runner_stopped'; message: string }

/**
 * Exit codes of a sandbox that was ended from outside: by SIGKILL, by SIGTERM, and when the engine lost track of it. The supervisor inside
 * uses other codes for everything that can happen to its agent, and nothing inside can kill the first process of a sandbox. Trap: the
 * engine reports the supervisor's code as the sandbox's, so a command inside that kills the supervisor looks the same. It only gains {@link
 * MAX_INTERRUPTIONS} tries of the same budget.
 */
const ENDED_FROM_OUTSIDE = [137, 143, 255]

export type AttemptFacts = {
  /** How the agent reported the end of its turn, as admitted; null if it did not, or if its sandbox did not end by itself. */
  turn: End | null
  stop: StopCause | null
  fault: HostFault | null
  sandbox: SandboxEnd | null
}

const STOPPED: Record<StopCause, End> = {
  cancelled: { outcome: 'cancelled', reason: 'cancelled_by_user', message: null },
  lost: { outcome: 'interrupted', reason: 'runner_lost', message: null },
  runner_stopped: { outcome: 'interrupted', reason: 'runner_stopped', message: null },
  time_exceeded: { outcome: 'failed', reason: 'time_exceeded', message: null },
  flooded: {
    outcome: 'failed',
    reason: 'sandbox_crashed',
    message: 'The sandbox printed more than an attempt may print, so it was stopped.',
  },
  host_disk_full: { outcome: 'interrupted', reason: 'host_disk_full', message: null },
  coordinator_away: { outcome: 'interrupted', reason: 'coordinator_away', message: null },
}

/** The reasons that an agent may give for the end of a turn. Only the runner can know the others. */
const COMPLETED: readonly Reason[] = ['done', 'no_changes']
const FAILED: readonly Reason[] = [
  'repository_not_found',
  'credentials_refused',
  'base_branch_not_found',
  'git_unavailable',
  'checkout_failed',
  'commit_failed',
  'conflicts_left',
  'not_delivered',
  'push_refused',
  'nothing_pushed',
  'model_key_refused',
  'model_payment_refused',
  'model_credit_empty',
  'model_not_found',
  'model_unavailable',
  'model_refused',
  'model_request_invalid',
  'protocol_error',
  'budget_exceeded',
  'time_exceeded',
  'steps_exceeded',
  'stuck',
  'context_exceeded',
  'out_of_memory',
  'out_of_disk',
  'sandbox_crashed',
]

/**
 * Decides how an attempt ended, in this order: the agent's report on its turn; why we stopped it; the fault of the host; how the sandbox
 * died.
 */
export function decideEnd({ turn, stop, fault, sandbox }: AttemptFacts): End {
  if (turn) return turn
  if (stop) return STOPPED[stop]
  if (fault) return { outcome: 'interrupted', reason: fault.reason, message: cutText(fault.message, MESSAGE_CHARS) }
  if (!sandbox) return STOPPED.runner_stopped
  return crash(sandbox)
}

/**
 * Checks the agent's report on its turn. If the runner stopped the agent, the runner knows the reason better. If it did not, the agent
 * cannot know that it was cancelled or interrupted, except by the model: at most, something on the host sent it a SIGTERM.
 */
export function turnEnd(reported: End, stop: StopCause | null): End {
  if (stop) return { ...STOPPED[stop], message: STOPPED[stop].message ?? reported.message }
  if (reported.outcome === 'completed')
    return { ...reported, reason: COMPLETED.includes(reported.reason) ? reported.reason : 'done' }
  if (reported.outcome === 'failed')
    return { ...reported, reason: FAILED.includes(reported.reason) ? reported.reason : 'sandbox_crashed' }
  if (reported.reason === 'model_waiting') return reported
  return { ...STOPPED.runner_stopped, message: reported.message }
}

/** Trap: Docker reports an OOM kill of any process in the sandbox, even when the agent went on and ended well. */
function crash({ exitCode, outOfMemory, errorTail }: SandboxEnd): End {
  const words = [`The agent's process ended with exit code ${exitCode}.`, ...plainLines(errorTail)]
  const message = cutText(words.join('\n'), MESSAGE_CHARS)
  // It was alone for longer than a lease lasts, and this process came back all the same.
  if (exitCode === EXIT.orphaned) return { ...STOPPED.lost }
  if (outOfMemory) return { outcome: 'failed', reason: 'out_of_memory', message }
  if (ENDED_FROM_OUTSIDE.includes(exitCode)) return { outcome: 'interrupted', reason: 'sandbox_killed', message }
  if (/ENOSPC|No space left on device/.test(errorTail)) return { outcome: 'failed', reason: 'out_of_disk', message }
  return { outcome: 'failed', reason: 'sandbox_crashed', message }
}
/** The contract's bound on the message of an end. */
const MESSAGE_CHARS = 2000

/** What a person can read of the last lines on standard error: neither log entries, which are JSON, nor a stack with its frames and its line of the source. */
function plainLines(errorTail: string): string[] {
  return errorTail.split('\n').filter((line) => !/^(?:$|\s|[{}[\]^]|node:|file:|Node\.js v)/.test(line))
}
