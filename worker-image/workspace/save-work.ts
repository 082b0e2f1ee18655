import type { DiffStat } from '../../contract/api/event.ts'
import { type End, failed } from '../../contract/wire/end.ts'
import type { Door, LeaseState } from '../door/door.ts'
import { diffStat, patchOf } from './changes.ts'
import type { CommittedWork, ReadyWork } from './commit-work.ts'
import { commitFault } from './fault.ts'
import type { Aside, Work } from './find-work.ts'
import { must } from './git.ts'
import type { Finding } from './look/finding.ts'
import { keepsWorkBack, notesOf } from './look/judge.ts'
import type { LookOptions } from './look/look.ts'
import { notCurrent, type PushOptions, type PushTime, push, pushWork } from './push.ts'
import type { Restored } from './restore.ts'
import type { Workspace } from './workspace.ts'

export type SavedWork = {
  diff: DiffStat | null
  /** True if the branch differs from its base. */
  changed: boolean
  /** The branch's commit on the git host; null if it is not there. */
  tip: string | null
  /** Why the work is not on the branch; null if it is. */
  problem: End | null
  /** Why a turn whose agent says that it is done is not; null if it is. */
  unfinished: End | null
  /** What a person should know although the work is safe. */
  note: string | null
}

export type SaveOptions = PushOptions & {
  /** What the agent's own tools wrote, if somebody knows. */
  touched?: Touched
  /** Brings back a repository that a command removed or replaced. */
  restore: () => Promise<Restored>
  /** Looks the work over and commits it. */
  commit: (touched: Touched, message: string) => Promise<CommittedWork>
  /** Finds the commits of the turn, and makes each fit to be pushed. */
  ready: (findings: readonly Finding[]) => Promise<ReadyWork>
  /** Makes a git bundle of these commits. */
  bundle: (refs: ReadonlyArray<{ branch: string; commit: string }>, without: string | null) => Promise<Buffer>
  door: Pick<Door, 'store' | 'awaitLease'>
  /** Commit message; its first line is the subject. */
  message: string
  /** The time for all pushes together; waiting for the coordinator does not count. */
  timeoutMs: number
}

/**
 * Brings the work out of the sandbox, however the turn ended: looks it over, commits and pushes. When the push is refused or cannot be made, it
 * stores a git bundle and its own patch instead; of pushed work, the runner makes the patch. Never throws: a failure of one part does not stop
 * the others.
 */
export async function saveWork(options: SaveOptions): Promise<SavedWork> {
  const { workspace, log } = options
  const restored = await restore(options)
  if (restored.state === 'lost') return saveLost(options, restored.message)
  const committed = await commit(options)
  const lost = committed.failure ? commitFault(committed.failure) : null
  if (lost) log('commit.failed', { message: lost.message })
  const ready = await readyOf(options, committed.findings)
  const repository: Finding[] = restored.state === 'intact' ? [] : [{ kind: 'repository', paths: [], detail: restored.state }]
  const findings = [...repository, ...committed.findings, ...ready.findings]
  for (const { detail } of findings.filter(({ kind }) => kind === 'unseen')) log('look.failed', { message: detail })
  const saved = await deliver(options, ready, lost ?? (ready.unsafe ? failed('commit_failed', ready.unsafe) : null))
  const notes = [...notesOf(findings), committed.note, saved.note].filter(Boolean)
  return { ...saved, unfinished: unfinishedWork(findings, saved, workspace), note: notes.join(' ') || null }
}

async function restore({ restore, log }: SaveOptions): Promise<Restored> {
  try {
    return await restore()
  } catch (error) {
    // The commit finds out.
    log('restore.failed', { message: String(error) })
    return { state: 'intact' }
  }
}

async function commit({ commit, touched = NOTHING_TOUCHED, message }: SaveOptions): Promise<CommittedWork> {
  try {
    return await commit(touched, message)
  } catch (error) {
    return { findings: [], note: null, failure: { code: null, stderr: String(error) } }
  }
}

async function readyOf({ ready, workspace }: SaveOptions, findings: readonly Finding[]): Promise<ReadyWork> {
  try {
    return await ready(findings)
  } catch (error) {
    return { work: { tip: workspace.remoteCommit, asides: [], more: [] }, findings: [], unsafe: String(error) }
  }
}

type Touched = Pick<LookOptions, 'written' | 'untested'>

const NOTHING_TOUCHED: Touched = { written: [], untested: [] }

/** Pure. A merge with conflicts is not done, nor is a turn of which nothing but words could be delivered. */
function unfinishedWork(findings: readonly Finding[], saved: Omit<SavedWork, 'unfinished'>, workspace: Workspace): End | null {
  if (findings.some(({ kind }) => kind === 'conflict')) return { ...failed('conflicts_left', ''), message: null }
  const isEmpty = saved.tip === null || saved.tip === workspace.turnBase
  return isEmpty && keepsWorkBack(findings) ? { ...failed('not_delivered', ''), message: null } : null
}

/** Stores and pushes the commits. @param lost why some of the work is not in them */
async function deliver(options: SaveOptions, { work }: ReadyWork, lost: End | null): Promise<Omit<SavedWork, 'unfinished'>> {
  const { workspace, log } = options
  const { remoteCommit } = workspace
  const { tip, asides } = work
  const diff = await statOf(options, tip)
  if (asides.length === 0 && (tip === null || (tip === workspace.base && !workspace.resumed)))
    return { diff, changed: lost !== null, tip: null, problem: lost, note: null }
  const lease = await leaseNow(options)
  const time = { until: performance.now() + options.timeoutMs }
  const isThere = tip === null || tip === remoteCommit
  const pushed = isThere
    ? { tip: remoteCommit, beside: null, note: null }
    : lease === 'current'
      ? await pushWork(options, tip, time)
      : { refused: notCurrent(lease) }
  if ('refused' in pushed) {
    const { refused } = pushed
    log('push.failed', { reason: refused.reason, message: refused.message })
    const problem = await storeBundle(options, work, refused)
    if (refused.outcome === 'failed' && tip !== null) await storePatch(options, tip)
    return { diff, changed: true, tip: remoteCommit, problem, note: null }
  }
  const notes = [pushed.note, await pushAsides(options, work, time)].filter(Boolean)
  return { diff, changed: diff?.files !== 0 || asides.length > 0, tip: pushed.tip, problem: lost, note: notes.join(' ') || null }
}

/** Without the repository that was cloned there is nothing to push to: whatever files are left become a bundle of their own. */
async function saveLost(options: SaveOptions, message: string): Promise<SavedWork> {
  const { git, workspace, log } = options
  log('repository.lost', { message })
  const why = failed('commit_failed', `The repository in the sandbox is gone, by a command of the agent. ${message}`)
  const none = { diff: null, changed: true, tip: workspace.remoteCommit, unfinished: null, note: null }
  if ((await git(['rev-parse', '--git-dir'])).code !== 0) return { ...none, problem: why }
  const { failure } = await commit(options)
  const head = failure ? null : await must(git, ['rev-parse', 'HEAD']).catch(() => null)
  return { ...none, problem: head === null ? why : await storeBundle(options, { tip: head, asides: [] }, why) }
}

/** The gateway takes eight branches with one push. */
const PUSH_BRANCHES = 7

/** Pushed after the branch and separately: the host may refuse the asides without refusing the branch. @returns a note */
async function pushAsides(options: SaveOptions, work: Work, time: PushTime): Promise<string | null> {
  const { asides, more } = work
  if (asides.length === 0) return null
  for (let at = 0; at < asides.length; at += PUSH_BRANCHES) {
    const specs = asides.slice(at, at + PUSH_BRANCHES).map(({ branch, commit }) => `${commit}:refs/heads/${branch}`)
    const refused = await push(options, [options.remote, ...specs], time)
    if (!refused) continue
    options.log('push.failed', { reason: refused.reason, message: refused.message })
    return (await storeBundle(options, work, refused)).message
  }
  const tooMany = more.length > 0 ? [`Left out, because there are too many branches: ${more.slice(0, 10).join(', ')}.`] : []
  return [...asideNotes(asides), ...tooMany].join(' ')
}

/** Pure. */
function asideNotes(asides: readonly Aside[]): string[] {
  const list = (what: Aside['what']) =>
    asides
      .filter((aside) => aside.what === what)
      .map(({ branch }) => branch)
      .join(', ')
  const [own, other, unfinished] = [list('own'), list('other'), list('unfinished')]
  return [
    ...(unfinished ? [`The branch is as it was before the merge; the unfinished merge is on ${unfinished}.`] : []),
    ...(own ? [`The agent's other branches are on the git host as ${own}.`] : []),
    ...(other ? [`Work outside the branch (another commit, a stash) is on ${other}.`] : []),
  ]
}

/** A sandbox that is being stopped asks before each effect: without the coordinator only a bundle gets out, and time is short. */
async function leaseNow({ door, signal }: SaveOptions): Promise<LeaseState['lease']> {
  return signal.aborted ? (await door.awaitLease(signal)).lease : 'current'
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
    await door.store('unpushed-patch', await patchOf(git, workspace.base, tip))
    await door.store('unpushed-turn-patch', await patchOf(git, workspace.turnBase, tip))
  } catch (error) {
    // The bundle has the same change: a missing patch costs a view, not the work.
    log('patch.lost', { message: String(error) })
  }
}

async function storeBundle(
  { git, workspace, bundle, door, log }: SaveOptions,
  { tip, asides }: Pick<Work, 'tip' | 'asides'>,
  why: End,
): Promise<End> {
  const what = why.reason === 'push_refused' || why.reason === 'git_unavailable' ? 'The push failed' : 'Nothing could be pushed'
  try {
    const wanted = [...(tip ? [{ branch: workspace.branch, commit: tip }] : []), ...asides]
    const isCommit = (await git(['cat-file', '-e', `${workspace.base}^{commit}`])).code === 0
    await door.store('bundle', await bundle(wanted, isCommit ? workspace.base : null))
    return { ...why, message: `${what}; the work is saved as a git bundle (\`errand bundle\`). ${why.message}` }
  } catch (error) {
    log('bundle.lost', { message: String(error) })
    return { ...why, message: `${what}, and so did saving the work as a git bundle (${String(error)}). ${why.message}` }
  }
}
