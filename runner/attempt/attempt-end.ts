import type { EventData } from '../../contract/api/event.ts'
import type { Reason } from '../../contract/api/reason.ts'
import type { SandboxEnd } from '../sandbox/sandbox.ts'

export type AttemptEnd = EventData<'attempt.ended'>

/** Why we stopped the sandbox ourselves. The first cause is the one that counts. */
export type StopCause =
  | 'cancelled'
  | 'lost'
  | 'runner_stopped'
  | 'time_exceeded'
  | 'flooded'
  | 'host_disk_full'
  | 'coordinator_away'

/** The host's fault: nothing that the task could help. */
export type HostFault = { reason: 'engine_unavailable' | 'image_missing' | 'host_disk_full' | 'runner_stopped'; message: string }

/**
 * Exit codes of a sandbox that was ended from outside: by SIGKILL, by SIGTERM, and when the engine lost sight of it. The supervisor inside has
 * codes of its own for whatever becomes of its agent, and the first process of a sandbox cannot be killed from inside.
 * Trap: the engine passes the supervisor's code on as the sandbox's, so a command inside that kills the supervisor looks the same. It gains
 * {@link MAX_INTERRUPTIONS} tries of the same budget.
 */
const ENDED_FROM_OUTSIDE = [137, 143, 255]

export type AttemptFacts = {
  /** The agent's last word on the turn, as it was admitted. */
  turn: AttemptEnd | null
  stop: StopCause | null
  fault: HostFault | null
  sandbox: SandboxEnd | null
}

const STOPPED: Record<StopCause, AttemptEnd> = {
  cancelled: { outcome: 'cancelled', reason: 'cancelled_by_user', message: null },
  lost: { outcome: 'interrupted', reason: 'runner_lost', message: null },
  runner_stopped: { outcome: 'interrupted', reason: 'runner_stopped', message: null },
  time_exceeded: { outcome: 'failed', reason: 'time_exceeded', message: null },
  flooded: { outcome: 'failed', reason: 'sandbox_crashed', message: 'It said more than an attempt may say, and was stopped.' },
  host_disk_full: { outcome: 'interrupted', reason: 'host_disk_full', message: null },
  coordinator_away: { outcome: 'interrupted', reason: 'coordinator_away', message: null },
}

/** What an agent may give as the reason of a turn. The rest of the reasons are ours to know. */
const COMPLETED: readonly Reason[] = ['done', 'no_changes']
const FAILED: readonly Reason[] = [
  'repository_not_found',
  'credentials_refused',
  'base_branch_not_found',
  'git_unavailable',
  'push_refused',
  'model_key_refused',
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
 * How an attempt ended, in this order: what the agent said of its turn; why we stopped it; what the host got wrong; how the sandbox died.
 * The first is believed even after a bad exit, since the turn was over by then.
 */
export function decideEnd({ turn, stop, fault, sandbox }: AttemptFacts): AttemptEnd {
  if (turn) return turn
  if (stop) return STOPPED[stop]
  if (fault) return { outcome: 'interrupted', reason: fault.reason, message: shortened(fault.message) }
  if (!sandbox) return STOPPED.runner_stopped
  return crash(sandbox)
}

/**
 * The agent's word on its turn, held against what we know. While we stop it, we know why better than it does; and a sandbox that nobody
 * stopped has no say on being cancelled or interrupted, save that something on the host sent it a SIGTERM.
 */
export function turnEnd(said: AttemptEnd, stop: StopCause | null): AttemptEnd {
  if (stop) return { ...STOPPED[stop], message: STOPPED[stop].message ?? said.message }
  if (said.outcome === 'completed') return { ...said, reason: COMPLETED.includes(said.reason) ? said.reason : 'done' }
  if (said.outcome === 'failed') return { ...said, reason: FAILED.includes(said.reason) ? said.reason : 'sandbox_crashed' }
  return { ...STOPPED.runner_stopped, message: said.message }
}

/** Trap: Docker reports an OOM kill of any process in the sandbox, also when the agent went on and ended well. */
function crash({ exitCode, outOfMemory, errorTail }: SandboxEnd): AttemptEnd {
  const message = shortened(`The agent's process ended with exit code ${exitCode}.${errorTail ? `\n${errorTail}` : ''}`)
  if (outOfMemory) return { outcome: 'failed', reason: 'out_of_memory', message }
  if (ENDED_FROM_OUTSIDE.includes(exitCode)) return { outcome: 'interrupted', reason: 'sandbox_killed', message }
  if (/ENOSPC|No space left on device/.test(errorTail)) return { outcome: 'failed', reason: 'out_of_disk', message }
  return { outcome: 'failed', reason: 'sandbox_crashed', message }
}

function shortened(text: string): string {
  return text.length <= MESSAGE_CHARS ? text : `${text.slice(0, MESSAGE_CHARS - 1)}…`
}
/** As the contract bounds the message of an end. */
const MESSAGE_CHARS = 2000
