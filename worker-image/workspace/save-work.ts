import { rm } from 'node:fs/promises'
import type { DiffStat } from '../../contract/api/event.ts'
import { type End, failed, interrupted } from '../../contract/wire/end.ts'
import { UNCONFIRMED } from '../../contract/wire/names.ts'
import type { Door, LeaseState } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import { commitAll, diffStat, patchOf } from './changes.ts'
import { findWork, type Work } from './find-work.ts'
import { type Git, type GitResult, must } from './git.ts'
import { fault, RETRY_DELAYS_MS, type Workspace } from './workspace.ts'

export type SavedWork = {
  diff: DiffStat | null
  /** True if the branch differs from its base. */
  changed: boolean
  /** The branch's commit on the git host; null if it is not there. */
  tip: string | null
  /** Why the work is not on the branch; null if it is. */
  problem: End | null
  /** What a person should know although the work is safe. */
  note: string | null
}

export type SaveOptions = {
  git: Git
  /** git outside of the repository, whose config cannot deceive it about the git host. */
  outside: Git
  /** Address of the repository at the door. */
  remote: string
  door: Pick<Door, 'store' | 'storeFile' | 'awaitLease'>
  workspace: Workspace
  /** Commit message; its first line is the subject. */
  message: string
  /** The folder for a bundle if the push is refused. */
  scratch: string
  /** The time for all pushes together; waiting for the coordinator does not count. */
  timeoutMs: number
  /** Aborts when the sandbox is being stopped: then nothing waits. */
  signal: AbortSignal
  log: Log
  /** Pauses after pushes that failed without a refusal. */
  retryDelaysMs?: readonly number[]
}

/**
 * Brings the work out of the sandbox, however the turn ended: commits, stores the patch, and pushes. When the push is refused or cannot be
 * made, it stores a git bundle instead. Never throws: a failure of one part does not stop the others.
 */
export async function saveWork(options: SaveOptions): Promise<SavedWork> {
  const { git, workspace, message, log } = options
  const { note, failed: uncommitted } = await commitAll(git, message)
  const lost = uncommitted ? fault(uncommitted) : null
  if (lost) log('commit.failed', { message: lost.message })
  const { remoteCommit } = workspace
  const work = await findWork(git, workspace)
  const { tip, asides } = work
  const diff = await statOf(options, tip)
  if (tip === null || (tip === workspace.base && !workspace.resumed && asides.length === 0))
    return { diff, changed: lost !== null, tip: null, problem: lost, note }
  let lease = await leaseNow(options)
  if (lease === 'current') {
    await storePatch(options, tip)
    lease = await leaseNow(options)
  }
  const time = { until: performance.now() + options.timeoutMs }
  const refused = tip === remoteCommit ? null : lease === 'current' ? await pushWork(options, tip, time) : notCurrent(lease)
  if (refused) {
    log('push.failed', { reason: refused.reason, message: refused.message })
    return { diff, changed: true, tip: remoteCommit, problem: await storeBundle(options, work, refused), note }
  }
  const notes = [note, await pushAsides(options, work, time)].filter(Boolean)
  return { diff, changed: diff?.files !== 0, tip, problem: lost, note: notes.join(' ') || null }
}

/** @returns null when the branch is on the git host, or why it is not */
async function pushWork(options: SaveOptions, tip: string, time: PushTime): Promise<End | null> {
  return (await pushBranch(options, tip, time)) ?? (await checkArrival(options, tip))
}

function pushBranch(options: SaveOptions, tip: string, time: PushTime): Promise<End | null> {
  const { branch, remoteCommit } = options.workspace
  const ref = `refs/heads/${branch}`
  // git's `--force-with-lease`: the model may rewrite what an earlier attempt pushed, but nothing that anyone else pushed.
  return push(
    options,
    [...(remoteCommit ? [`--force-with-lease=${ref}:${remoteCommit}`] : []), options.remote, `${tip}:${ref}`],
    time,
  )
}

/** Pushed after the branch and separately: the host may refuse the asides without refusing the branch. @returns a note */
async function pushAsides(options: SaveOptions, work: Work, time: PushTime): Promise<string | null> {
  const { asides } = work
  if (asides.length === 0) return null
  const specs = asides.map(({ branch, commit }) => `${commit}:refs/heads/${branch}`)
  const refused = await push(options, [options.remote, ...specs], time)
  if (!refused) return `Work outside the branch (another commit, a stash) is on ${asides.map(({ branch }) => branch).join(', ')}.`
  options.log('push.failed', { reason: refused.reason, message: refused.message })
  return (await storeBundle(options, work, refused)).message
}

/** The deadline of the pushes. A wait for the coordinator extends it. */
type PushTime = { until: number }

/**
 * Pushes, with a few tries. A push that fails because the coordinator is away costs neither time nor a try: it waits and is repeated.
 * @returns null if the host took it, or why it did not
 */
async function push(options: SaveOptions, args: readonly string[], time: PushTime): Promise<End | null> {
  const { git, door, signal, retryDelaysMs = RETRY_DELAYS_MS } = options
  for (let tried = 0; ; ) {
    const since = performance.now()
    const result = await git(['push', '--quiet', ...args], { timeoutMs: Math.max(1000, time.until - since) })
    if (result.code === 0) return null
    const isUnconfirmed = has(result, UNCONFIRMED)
    const refused = !isUnconfirmed && isRefusal(result) ? failed('push_refused', result.stderr.trim().slice(-1000)) : null
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

function has({ stderr }: GitResult, status: number): boolean {
  return stderr.includes(`returned error: ${status}`)
}

/** A sandbox that is being stopped asks before each effect: without the coordinator only a bundle gets out, and time is short. */
async function leaseNow({ door, signal }: SaveOptions): Promise<LeaseState['lease']> {
  return signal.aborted ? (await door.awaitLease(signal)).lease : 'current'
}

function notCurrent(lease: 'over' | 'away'): End {
  return lease === 'over'
    ? interrupted('runner_lost', 'This attempt is no longer the current one.')
    : interrupted('coordinator_away', 'The coordinator did not answer in time.')
}

/** The time to read the branch's commit after a push. */
const ARRIVAL_MS = 3_000

/**
 * `url.*.insteadOf` in the repository's config may redirect a push to another place, where it succeeds.
 * @returns null, or why the work is not on the host
 */
async function checkArrival({ outside, remote, workspace }: SaveOptions, tip: string): Promise<End | null> {
  const found = await outside(['ls-remote', '--', remote, `refs/heads/${workspace.branch}`], { timeoutMs: ARRIVAL_MS })
  if (found.code !== 0 || found.stdout.startsWith(tip)) return null
  return failed(
    'push_refused',
    'git reported a push that did not arrive: the git config of the work tree sends pushes somewhere else.',
  )
}

function isRefusal({ stderr }: GitResult): boolean {
  return /\[(remote )?rejected\]|! \[|returned error: 4\d\d|could not read (Username|Password)|Authentication failed|not found/.test(
    stderr,
  )
}

async function statOf({ git, workspace, log }: SaveOptions, tip: string | null): Promise<DiffStat | null> {
  try {
    return await diffStat(git, workspace.base, tip)
  } catch (error) {
    log('diff.lost', { message: String(error) })
    return null
  }
}

async function storePatch({ git, workspace, door, log }: SaveOptions, tip: string): Promise<void> {
  try {
    await door.store('patch', await patchOf(git, workspace.base, tip))
    await door.store('turn-patch', await patchOf(git, workspace.turnBase, tip))
  } catch (error) {
    // The branch has the same change: a missing patch costs a view, not the work.
    log('patch.lost', { message: String(error) })
  }
}

async function storeBundle({ git, workspace, door, scratch, log }: SaveOptions, { tip, asides }: Work, why: End): Promise<End> {
  const file = `${scratch}/work.bundle`
  const what = why.reason === 'coordinator_away' ? 'Nothing could be pushed' : 'The push failed'
  try {
    const wanted = [...(tip ? [{ branch: workspace.branch, commit: tip }] : []), ...asides]
    // A bundle contains only named refs.
    for (const { branch, commit } of wanted) await must(git, ['update-ref', `refs/heads/${branch}`, commit])
    const isCommit = (await git(['cat-file', '-e', `${workspace.base}^{commit}`])).code === 0
    const names = wanted.map(({ branch }) => `refs/heads/${branch}`)
    await must(git, ['bundle', 'create', '--quiet', file, ...names, ...(isCommit ? [`^${workspace.base}`] : [])])
    await door.storeFile('bundle', file)
    await rm(file)
    return { ...why, message: `${what}; the work is saved as a git bundle (\`errand bundle\`). ${why.message}` }
  } catch (error) {
    log('bundle.lost', { message: String(error) })
    return { ...why, message: `${what}, and so did saving the work as a git bundle (${String(error)}). ${why.message}` }
  }
}
