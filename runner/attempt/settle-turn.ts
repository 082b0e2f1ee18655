import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { NewEvent } from '../../contract/api/event.ts'
import { EXIT } from '../../contract/wire/sandbox.ts'
import { resolveUpstream } from '../gateway/upstream.ts'
import { CoordinatorFault } from '../lease/coordinator-client.ts'
import type { Patches, PatchRequest, Pushed } from '../patch/make-patches.ts'
import type { SandboxEnd } from '../sandbox/sandbox.ts'
import type { StopCause } from './attempt-end.ts'
import type { Attempt } from './run-sandbox.ts'
import type { RunnerStop } from './stop-switch.ts'
import { type ReportedEnd, type Seen, turnTruth } from './turn-truth.ts'

/** After these the turn is tried again, or is no longer ours: nobody looks at its change yet. */
const NOT_NOW: readonly (StopCause | null)[] = ['lost', 'runner_stopped', 'flooded', 'host_disk_full', 'coordinator_away']

/** For everything, tries and pauses. A git host that is away for longer costs the turn its patch, not its end. */
const WHOLE_MS = 45_000
const PAUSES_MS: readonly number[] = [1_000, 3_000, 9_000]

/**
 * Makes the patches of a turn from what the git host took, and emits the end of the turn with their numbers. A reported end counts only if
 * the sandbox then ended by itself and well: whatever could print one could also have killed the agent.
 */
export async function settleTurn(attempt: Attempt, sandbox: SandboxEnd | null, runnerStop: RunnerStop): Promise<void> {
  const { ending, tree, delivery, stop, log } = attempt
  const isBelieved = sandbox?.exitCode === EXIT.reported && !stop.flooded()
  const reported = isBelieved ? ending.reported : null
  if (ending.reported && !reported) log.warn({ event: 'turn.end_not_believed', exitCode: sandbox?.exitCode ?? null })
  // A turn that only rests, such as for the model, comes back and is looked at then.
  const isResting = reported?.data.outcome === 'interrupted'
  const seen: Seen = isResting ? { what: 'unasked' } : await see(attempt, reported, runnerStop)
  // The next process of this runner reads the report again.
  if (!reported || runnerStop.leave.aborted) return
  const event: NewEvent = { type: 'turn.ended', data: turnTruth(reported.data, seen) }
  for (const one of tree.admit(event, reported.stop)) delivery.emit(one)
}

async function see(attempt: Attempt, reported: ReportedEnd | null, { leave, drain, now }: RunnerStop): Promise<Seen> {
  const { pushes, stop, log } = attempt
  if (NOT_NOW.includes(stop.cause())) return { what: 'unasked' }
  const signal = AbortSignal.any([leave, drain, now, AbortSignal.timeout(WHOLE_MS)])
  for (let tried = 0; ; tried += 1) {
    try {
      const pushed = pushes.ofTurn() ?? (await findUnseen(attempt, reported, signal))
      if (!pushed) return { what: 'nothing', earlier: pushes.any() }
      const { task } = await makeAndStore(attempt, pushed, signal)
      return { what: 'read', commit: pushed.commit, diff: task.diff }
    } catch (error) {
      log.warn({ event: 'patch.failed', err: error })
      const waitMs = PAUSES_MS[tried]
      const isFinal = error instanceof CoordinatorFault && error.kind === 'refused'
      if (waitMs === undefined || isFinal || !(await waited(waitMs, signal))) return { what: 'unread' }
    }
  }
}

/**
 * Looks for a push that no gateway saw to its end: its runner was killed, or its host lost, while the git host took it. Only where the sandbox
 * reports a change, and only a commit that no earlier turn pushed.
 */
async function findUnseen(attempt: Attempt, reported: ReportedEnd | null, signal: AbortSignal): Promise<Pushed | null> {
  const { parts, lease, pushes, delivery, log } = attempt
  if (!reported?.data.diff?.files) return null
  const { branch } = lease.assignment
  const before = lease.pushed?.commit ?? null
  const commit = await parts.gitHost.commitOf(repositoryOf(attempt), branch, signal)
  if (commit === null || commit === before) return null
  log.warn({ event: 'push.found', branch, commit })
  const push = { branch, commit, before }
  pushes.note(push)
  delivery.emit({ type: 'branch.pushed', data: push })
  return pushes.ofTurn()
}

function repositoryOf({ parts, lease }: Attempt): PatchRequest['repository'] {
  const { repo } = lease.access
  return { ...repo, upstream: resolveUpstream(repo.upstream, parts.coordinatorUrl) }
}

async function makeAndStore(attempt: Attempt, pushed: Pushed, signal: AbortSignal): Promise<Patches> {
  const { parts, lease } = attempt
  const { taskId, attempt: number, baseBranch } = lease.assignment
  const patches = await parts.gitHost.makePatches({ repository: repositoryOf(attempt), baseBranch, ...pushed }, signal)
  await parts.client.saveArtifact(taskId, number, 'patch', Readable.from([patches.task.patch]))
  await parts.client.saveArtifact(taskId, number, 'turn-patch', Readable.from([patches.turn.patch]))
  return patches
}

/** @returns false when there is no more time */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}
