import { posix } from 'node:path'
import { headCommit } from './changes.ts'
import { UNFINISHED } from './conflicted.ts'
import { type Git, must } from './git.ts'
import type { Workspace } from './workspace.ts'

/** A commit outside of the task's branch, for a branch of its own below the task's prefix. */
export type Aside = {
  branch: string
  commit: string
  /** `own`: a local branch that the agent made. `other`: a commit without a branch, or a stash. `unfinished`: a merge with conflicts. */
  what: 'own' | 'other' | 'unfinished'
}

/** The work of a turn: the commit for its branch, and commits outside of it. `more`: branches that are too many to be pushed. */
export type Work = { tip: string | null; asides: readonly Aside[]; more: readonly string[] }

/** More than a person reads. */
const MAX_ASIDES = 20

/**
 * Finds the work wherever it is: an interrupted command may have left HEAD anywhere, and a task may ask for several branches. The task's branch
 * moves to HEAD only if that loses nothing of it. Otherwise the work at HEAD becomes an aside, as a stash does, and every local branch with
 * commits of its own.
 */
export async function findWork(git: Git, workspace: Workspace): Promise<Work> {
  const { branch, base, remoteCommit, resumed } = workspace
  const head = await headCommit(git)
  const own = (await commitOf(git, `refs/heads/${branch}`)) ?? remoteCommit
  const moves =
    head !== null &&
    (own === null || (await contains(git, head, own)) || (own === base && !resumed && (await hasWork(git, head, own))))
  const tip = moves ? head : own
  const unfinished = await commitOf(git, UNFINISHED)
  const stash = await commitOf(git, 'refs/stash')
  const named = await ownBranches(git, workspace)
  const loose = [...(head === null ? [] : [head]), ...(await otherHeads(git))]
  const candidates = [
    ...(unfinished ? [unnamed(branch, unfinished, 'unfinished')] : []),
    ...named,
    ...loose.filter((commit) => !named.some((one) => one.commit === commit)).map((commit) => unnamed(branch, commit, 'other')),
    ...(stash ? [unnamed(branch, stash, 'other')] : []),
  ]
  const asides: Aside[] = []
  for (const aside of candidates)
    if (await isNews(git, aside, tip, asides)) asides.push(await withFreeName(git, branch, aside, asides))
  return { tip, asides: asides.slice(0, MAX_ASIDES), more: asides.slice(MAX_ASIDES).map((one) => one.branch) }
}

/** The commit in the name keeps one turn from moving the aside of another. */
function unnamed(branch: string, commit: string, what: 'other' | 'unfinished'): Aside {
  const name = what === 'unfinished' ? 'unfinished' : 'aside'
  return { branch: below(branch, `${name}-${commit.slice(0, 12)}`), commit, what }
}

/** @returns the agent's local branches, each with the name that it gets on the git host */
async function ownBranches(git: Git, { branch }: Workspace): Promise<Aside[]> {
  const listed = await git(['for-each-ref', '--sort=refname', '--format=%(objectname) %(refname)', 'refs/heads'])
  const rows = listed.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
  return rows.flatMap(([commit = '', ref = '']) => {
    const name = ref.replace('refs/heads/', '')
    return name === branch ? [] : [{ branch: below(branch, plain(name, posix.dirname(branch))), commit, what: 'own' as const }]
  })
}

/** The gateway lets plain names through: letters, digits, dots, dashes. */
function plain(name: string, prefix: string): string {
  const own = name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : name
  const safe = own
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[.-]+|[.-]+$|\.lock$/g, '')
    .slice(0, 80)
  return safe || 'branch'
}

/** A name on the host that holds other commits is somebody's work, perhaps that of an earlier turn. */
async function withFreeName(git: Git, branch: string, aside: Aside, taken: readonly Aside[]): Promise<Aside> {
  const there = await commitOf(git, `refs/remotes/origin/${aside.branch}`)
  const isFree = aside.branch !== branch && !taken.some((one) => one.branch === aside.branch)
  if (isFree && (there === null || (await contains(git, aside.commit, there)))) return aside
  return { ...aside, branch: `${aside.branch}-${aside.commit.slice(0, 8)}` }
}

/** @returns HEAD of each work tree that `git worktree add` made: a detached one has no branch */
async function otherHeads(git: Git): Promise<string[]> {
  const listed = await git(['worktree', 'list', '--porcelain'])
  return listed.stdout
    .split('\n')
    .flatMap((line) => (line.startsWith('HEAD ') ? [line.slice('HEAD '.length)] : []))
    .slice(1)
}

/** @returns whether the commit has work that is neither on the branch, nor in another aside, nor on the git host */
async function isNews(git: Git, { commit, what }: Aside, tip: string | null, asides: readonly Aside[]): Promise<boolean> {
  // A branch with a name is wanted for itself, even when another one contains it.
  const known = [...(tip === null ? [] : [tip]), ...(what === 'own' ? [] : asides.map((one) => one.commit))]
  return (await git(['rev-list', '--max-count=1', commit, '--not', ...known, '--remotes'])).stdout !== ''
}

function below(branch: string, name: string): string {
  return `${posix.dirname(branch)}/${name}`
}

export async function commitOf(git: Git, ref: string): Promise<string | null> {
  const found = await git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])
  return found.code === 0 ? found.stdout.trim() : null
}

export async function contains(git: Git, commit: string, earlier: string): Promise<boolean> {
  return (await git(['merge-base', '--is-ancestor', earlier, commit])).code === 0
}

async function hasWork(git: Git, commit: string, own: string): Promise<boolean> {
  return (await git(['rev-list', '--max-count=1', commit, '--not', own, '--remotes'])).stdout !== ''
}

/**
 * @returns the commit, or one with the same files on top of the branch when its history has nothing to do with the branch: such a commit would
 *   replace everything that people have there
 */
export async function onBranch(git: Git, workspace: Workspace, tip: string): Promise<{ tip: string; isUnrelated: boolean }> {
  const anchor = await commitOf(git, workspace.remoteCommit ?? workspace.base)
  if (anchor === null || (await git(['merge-base', anchor, tip])).code === 0) return { tip, isUnrelated: false }
  const message = await must(git, ['log', '-1', '--format=%B', tip])
  return { tip: await must(git, ['commit-tree', `${tip}^{tree}`, '-p', anchor, '-m', message]), isUnrelated: true }
}
