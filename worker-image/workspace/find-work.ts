import { posix } from 'node:path'
import { headCommit } from './changes.ts'
import type { Git } from './git.ts'
import type { Workspace } from './workspace.ts'

/** The work of a turn: the commit for its branch, and commits outside of it, each for a branch of its own. */
export type Work = { tip: string | null; asides: ReadonlyArray<{ branch: string; commit: string }> }

/**
 * Finds the work wherever HEAD is: an interrupted command may have left it anywhere. The branch moves to HEAD only if that loses nothing of
 * the branch. Otherwise the work at HEAD becomes an aside, as a stash does.
 */
export async function findWork(git: Git, workspace: Workspace): Promise<Work> {
  const { branch, base, remoteCommit, resumed } = workspace
  const head = await headCommit(git)
  const own = (await commitOf(git, `refs/heads/${branch}`)) ?? remoteCommit
  const stash = await commitOf(git, 'refs/stash')
  const stashed = stash ? [aside(branch, stash)] : []
  if (head === null) return { tip: own, asides: stashed }
  if (own === null || (await contains(git, head, own))) return { tip: head, asides: stashed }
  if (!(await hasWork(git, head, own))) return { tip: own, asides: stashed }
  if (own === base && !resumed) return { tip: head, asides: stashed }
  return { tip: own, asides: [aside(branch, head), ...stashed] }
}

/** Below the task's prefix, like its branch. The commit in the name keeps one turn from moving the aside of another. */
function aside(branch: string, commit: string) {
  return { branch: `${posix.dirname(branch)}/aside-${commit.slice(0, 12)}`, commit }
}

async function commitOf(git: Git, ref: string): Promise<string | null> {
  const found = await git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`])
  return found.code === 0 ? found.stdout.trim() : null
}

async function contains(git: Git, commit: string, earlier: string): Promise<boolean> {
  return (await git(['merge-base', '--is-ancestor', earlier, commit])).code === 0
}

/** @returns whether the commit has work that is neither on the branch nor on the git host */
async function hasWork(git: Git, commit: string, own: string): Promise<boolean> {
  return (await git(['rev-list', '--max-count=1', commit, '--not', own, '--remotes'])).stdout !== ''
}
