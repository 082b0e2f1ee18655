import { withPaths } from './changes.ts'
import { type Git, must } from './git.ts'
import { addedBetween, addedInCommits } from './look/added-lines.ts'
import { type Change, changesSince, forPaths, split } from './look/changed-files.ts'
import type { Finding } from './look/finding.ts'
import { leftOutOf } from './look/judge.ts'
import { findByName, inLines } from './look/look.ts'
import type { Workspace } from './workspace.ts'

/** The commit to push, and what had to be taken out of it; empty when it is the very commit that was asked about. */
export type Cleaned = { commit: string; removed: Finding[] }

/**
 * Makes sure that no commit on its way to the git host has a secret, installed packages or the like, not even one that a later commit
 * deletes again. If one has, the new commits become a single one without it, on top of what the host has.
 * @param held paths that are held back for other reasons, such as a missing filter
 */
export async function cleanCommits(git: Git, commit: string, workspace: Workspace, held: readonly string[]): Promise<Cleaned> {
  const { turnBase, baseBranch } = workspace
  const range = [commit, '--not', turnBase, '--remotes']
  const touched = split(await must(git, ['log', '--format=', '--name-only', '-z', '-c', '--diff-filter=d', ...range, '--']))
  // A file of the work tree's commits starts with a newline where a commit's (empty) heading was.
  const paths = [...new Set(touched.map((path) => path.replace(/^\n/, '')).filter(Boolean))]
  const history = [
    ...(await findByName(git, null, turnBase, await asChanges(git, turnBase, paths))),
    ...inLines(await addedInCommits(git, range)),
  ]
  const wrong = [...new Set([...leftOutOf(history), ...paths.filter((path) => held.includes(path))])]
  if (wrong.length === 0) return { commit, removed: [] }
  const changes = await changesSince(git, turnBase, commit, baseBranch === '' ? null : `refs/remotes/origin/${baseBranch}`)
  const final = [...(await findByName(git, null, turnBase, changes)), ...inLines(await addedBetween(git, turnBase, commit))]
  const tree = await treeWithout(git, commit, turnBase, [...leftOutOf(final), ...held])
  const parents = await parentsOnHost(git, range, turnBase)
  const message = await must(git, ['log', '-1', '--format=%B', commit])
  const single = await must(git, ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message])
  return { commit: single, removed: history.filter((finding) => leftOutOf([finding]).length > 0) }
}

async function asChanges(git: Git, base: string, paths: readonly string[]): Promise<Change[]> {
  const known = new Set(split(await forPaths(git, ['ls-tree', '-z', '--name-only', base], paths)))
  return paths.map((path) => ({ path, before: known.has(path) ? path : null, mode: '' }))
}

/** The index is free by now: everything of the work tree is committed. */
async function treeWithout(git: Git, commit: string, base: string, paths: readonly string[]): Promise<string> {
  const index = await must(git, ['write-tree'])
  try {
    await must(git, ['read-tree', commit])
    if (paths.length > 0)
      await withPaths(
        git,
        ['reset', '--quiet', base],
        paths.map((path) => `:(top,literal)${path}`),
      )
    return await must(git, ['write-tree'])
  } finally {
    await git(['read-tree', index])
  }
}

/** The newest commits below the range that the host has: more than one after a merge of another branch of the host. */
async function parentsOnHost(git: Git, range: readonly string[], turnBase: string): Promise<string[]> {
  const isCommit = (await git(['cat-file', '-e', `${turnBase}^{commit}`])).code === 0
  if (!isCommit) return []
  const listed = await must(git, ['rev-list', '--boundary', ...range])
  const borders = listed.split('\n').flatMap((line) => (line.startsWith('-') ? [line.slice(1)] : []))
  const independent = await must(git, ['merge-base', '--independent', ...(borders.length > 0 ? borders : [turnBase])])
  return independent.split('\n').filter(Boolean)
}
