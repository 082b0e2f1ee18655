import { stageAll } from './changes.ts'
import { type Git, must } from './git.ts'
import type { Workspace } from './workspace.ts'

/** A half-finished merge, as a plain commit for a branch of its own. */
export const UNFINISHED = 'refs/errand/unfinished'

/**
 * Sets a work tree with conflicts aside: all of it becomes an ordinary commit, never a merge, on top of what was there before, and HEAD goes
 * back to that. So the branch neither claims the merge nor has conflict markers.
 * @throws Error when git cannot; nothing is committed then
 */
export async function setConflictsAside(
  git: Git,
  {
    turnBase,
    paths,
    message,
    leftOut,
  }: Pick<Workspace, 'turnBase'> & { paths: readonly string[]; message: string; leftOut: readonly string[] },
): Promise<string | null> {
  const before = await beforeMerge(git, turnBase, paths)
  const { note, failed } = await stageAll(git, leftOut)
  if (failed) throw new Error(failed.stderr)
  const tree = await must(git, ['write-tree'])
  const commit = await must(git, ['commit-tree', tree, '-p', before, '-m', `Unfinished merge: ${message}`])
  await must(git, ['update-ref', UNFINISHED, commit])
  await must(git, ['reset', '--quiet', before])
  return note
}

/** @returns HEAD while the merge is under way; if it was committed with its markers, the commit before it */
async function beforeMerge(git: Git, turnBase: string, paths: readonly string[]): Promise<string> {
  const literal = paths.slice(0, 100).map((path) => `:(top,literal)${path}`)
  const marked = await git(['grep', '--quiet', '-E', '^(<<<<<<<|>>>>>>>)( |$)', 'HEAD', '--', ...literal])
  if (marked.code !== 0) return must(git, ['rev-parse', 'HEAD'])
  const range = ['HEAD', '--not', turnBase, '--remotes']
  const merges = await must(git, ['rev-list', '--first-parent', '--merges', '--reverse', ...range])
  const [first] = merges.split('\n').filter(Boolean)
  return first ? must(git, ['rev-parse', `${first}^1`]) : turnBase
}
