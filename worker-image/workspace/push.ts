import { type End, failed, interrupted } from '../../contract/wire/end.ts'
import { UNCONFIRMED } from '../../contract/wire/names.ts'
import type { Door, LeaseState } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import { fault, plainWords } from './fault.ts'
import { contains } from './find-work.ts'
import type { Git, GitResult } from './git.ts'
import { named } from './look/finding.ts'
import { rebaseOnto } from './rebase.ts'
import { RETRY_DELAYS_MS, type Workspace } from './workspace.ts'

export type PushOptions = {
  git: Git
  /** git outside of the repository, whose config cannot deceive it about the git host. */
  outside: Git
  /** Address of the repository at the door. */
  remote: string
  door: Pick<Door, 'awaitLease'>
  workspace: Workspace
  /** Aborts when the sandbox is being stopped: then nothing waits. */
  signal: AbortSignal
  log: Log
  /** Pauses after pushes that failed without a refusal. */
  retryDelaysMs?: readonly number[]
}

/** The deadline of the pushes. A wait for the coordinator extends it. */
export type PushTime = { until: number }

/** `tip`: the branch's commit on the git host now. `beside`: the branch that has the work instead, because somebody else changed this one. */
export type Pushed = { tip: string; beside: string | null; note: string | null } | { refused: End }

/** Brings the commit to the task's branch, also when somebody pushed there in the meantime. */
export async function pushWork(options: PushOptions, tip: string, time: PushTime): Promise<Pushed> {
  const { branch, remoteCommit } = options.workspace
  const ref = `refs/heads/${branch}`
  // git's `--force-with-lease`: the model may rewrite what an earlier attempt pushed, but nothing that anyone else pushed.
  const refused = await push(options, [...lease(ref, remoteCommit), options.remote, `${tip}:${ref}`], time)
  if (!refused) return arrived(options, tip, null)
  if (refused.reason !== 'push_refused') return { refused }
  const there = await hostsCommit(options)
  if (there === undefined || there === remoteCommit) return { refused }
  if (there === tip) return { tip, beside: null, note: null }
  options.log('branch.moved', { from: remoteCommit, to: there })
  return afterMove(options, tip, there, time)
}

function lease(ref: string, commit: string | null): string[] {
  return commit ? [`--force-with-lease=${ref}:${commit}`] : []
}

/** @param there the commit that somebody else pushed; null when they deleted the branch */
async function afterMove(options: PushOptions, tip: string, there: string | null, time: PushTime): Promise<Pushed> {
  const { git, workspace, remote } = options
  const { branch, remoteCommit } = workspace
  const ref = `refs/heads/${branch}`
  if (there === null) {
    const refused = await push(options, [remote, `${tip}:${ref}`], time)
    return refused
      ? { refused }
      : arrived(options, tip, `The branch had been deleted on the git host meanwhile. It is there again.`)
  }
  const fetched = await git(['fetch', '--quiet', remote, `+${ref}:refs/remotes/origin/${branch}`], { timeoutMs: left(time) })
  if (fetched.code !== 0) return { refused: fault(fetched) }
  if (await contains(git, there, tip)) return { tip: there, beside: null, note: 'Somebody pushed to the branch as well.' }
  const isRewritten = remoteCommit !== null && !(await contains(git, tip, remoteCommit))
  const rebased = isRewritten ? { conflicts: [] } : await rebasedOn(options, tip, there)
  if ('tip' in rebased) {
    const refused =
      rebased.tip === there ? null : await push(options, [...lease(ref, there), remote, `${rebased.tip}:${ref}`], time)
    if (!refused)
      return arrived(
        options,
        rebased.tip,
        "Somebody pushed to the branch while the agent worked. The agent's work is on top of theirs.",
      )
  }
  const beside = `${branch.slice(0, branch.lastIndexOf('/'))}/aside-${tip.slice(0, 12)}`
  const refused = await push(options, [remote, `${tip}:refs/heads/${beside}`], time)
  if (refused) return { refused }
  const files = 'conflicts' in rebased && rebased.conflicts.length > 0 ? `, and both changed ${named(rebased.conflicts)}` : ''
  return {
    tip: there,
    beside,
    note: `Somebody changed the branch on the git host while the agent worked${files}. The branch is as they left it; the agent's work is on ${beside}.`,
  }
}

async function rebasedOn({ git, workspace, log }: PushOptions, tip: string, there: string) {
  try {
    return await rebaseOnto(git, workspace.remoteCommit ?? workspace.base, tip, there)
  } catch (error) {
    log('rebase.failed', { message: String(error) })
    return { conflicts: [] }
  }
}

/** @returns the branch's commit on the git host, null when it has none, undefined when the host does not say */
async function hostsCommit({ outside, remote, workspace }: PushOptions): Promise<string | null | undefined> {
  const found = await outside(['ls-remote', '--', remote, `refs/heads/${workspace.branch}`], { timeoutMs: ARRIVAL_MS })
  return found.code === 0 ? found.stdout.split('\t')[0] || null : undefined
}

/** The time to read the branch's commit after a push. */
const ARRIVAL_MS = 3_000

/** `url.*.insteadOf` in the repository's config may redirect a push to another place, where it succeeds. */
async function arrived(options: PushOptions, tip: string, note: string | null): Promise<Pushed> {
  const there = await hostsCommit(options)
  if (there === undefined || there === tip) return { tip, beside: null, note }
  // Somebody may have pushed on top of it within this moment.
  if (there !== null && (await isOnTop(options, tip, there))) return { tip: there, beside: null, note }
  return {
    refused: failed(
      'push_refused',
      'git reported a push that did not arrive: the git config of the work tree sends pushes somewhere else.',
    ),
  }
}

async function isOnTop({ git, workspace, remote }: PushOptions, tip: string, there: string): Promise<boolean> {
  await git(['fetch', '--quiet', remote, `refs/heads/${workspace.branch}`], { timeoutMs: ARRIVAL_MS })
  return contains(git, there, tip)
}

/**
 * Pushes, with a few tries. A push that fails because the coordinator is away costs neither time nor a try: it waits and is repeated.
 * @returns null if the host took it, or why it did not
 */
export async function push(options: PushOptions, args: readonly string[], time: PushTime): Promise<End | null> {
  const { git, door, signal, retryDelaysMs = RETRY_DELAYS_MS } = options
  for (let tried = 0; ; ) {
    const since = performance.now()
    const result = await git(['push', '--quiet', ...args], { timeoutMs: left(time) })
    if (result.code === 0) return null
    const isUnconfirmed = has(result, UNCONFIRMED)
    const refused = !isUnconfirmed && isRefusal(result) ? failed('push_refused', plainWords(result.stderr)) : null
    // A 403 comes from the host, or from the door when the attempt is over.
    if (refused && !has(result, 403)) return refused
    const { lease, waited } = await door.awaitLease(signal)
    if (lease !== 'current') return notCurrent(lease)
    if (refused) return refused
    if (isUnconfirmed || waited) {
      time.until += performance.now() - since
      continue
    }
    const delay = retryDelaysMs[tried++]
    if (delay === undefined || performance.now() + delay > time.until) return fault(result)
    await pause(delay)
  }
}

function left(time: PushTime): number {
  return Math.max(1000, time.until - performance.now())
}

function has({ stderr }: GitResult, status: number): boolean {
  return stderr.includes(`returned error: ${status}`)
}

export function notCurrent(lease: Exclude<LeaseState['lease'], 'current'>): End {
  return lease === 'over'
    ? interrupted('runner_lost', 'This attempt is no longer the current one.')
    : interrupted('coordinator_away', 'The coordinator did not answer in time.')
}

function isRefusal({ stderr }: GitResult): boolean {
  return /\[(remote )?rejected\]|! \[|returned error: 4\d\d|could not read (Username|Password)|Authentication failed|not found/.test(
    stderr,
  )
}
