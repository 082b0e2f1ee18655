import { type Git, must } from './git.ts'

/** `tip`: the commits on their new base. `conflicts`: files that both sides changed; nothing was rebased. */
export type Rebased = { tip: string } | { conflicts: string[] }

/** A longer series is merged instead: a person reads neither differently. */
const MAX_COMMITS = 50

/**
 * Puts the commits from `from` (null: all) to `tip` on top of `onto`, without touching the work tree: there may be files in it that are not
 * for the commit. A series with merges in it is joined by one more merge.
 * @throws Error when git cannot
 */
export async function rebaseOnto(git: Git, from: string, tip: string, onto: string): Promise<Rebased> {
  const range = [`${from}..${tip}`]
  const commits = (await must(git, ['rev-list', '--reverse', ...range])).split('\n').filter(Boolean)
  const hasMerges = (await must(git, ['rev-list', '--merges', '--max-count=1', ...range])) !== ''
  if (hasMerges || commits.length > MAX_COMMITS) return merge(git, tip, onto)
  let at = onto
  for (const commit of commits) {
    const picked = await pick(git, commit, at)
    if ('conflicts' in picked) return picked
    at = picked.tip
  }
  return { tip: at }
}

/** git 2.39 merges trees only of commits: two that share a parent with the files of the commit's own parent stand for the three sides. */
async function pick(git: Git, commit: string, onto: string): Promise<Rebased> {
  const base = await must(git, ['commit-tree', `${commit}^^{tree}`, '-m', 'base'])
  const side = (tree: string) => must(git, ['commit-tree', `${tree}^{tree}`, '-p', base, '-m', 'side'])
  const merged = await mergeTrees(git, await side(onto), await side(commit))
  if ('conflicts' in merged) return merged
  // Somebody made the same change.
  if (merged.tree === (await must(git, ['rev-parse', `${onto}^{tree}`]))) return { tip: onto }
  const [name = '', email = '', ...message] = (await must(git, ['log', '-1', '--format=%an%n%ae%n%B', commit])).split('\n')
  const author = ['-c', `author.name=${name}`, '-c', `author.email=${email}`]
  return { tip: await must(git, [...author, 'commit-tree', merged.tree, '-p', onto, '-m', message.join('\n')]) }
}

async function merge(git: Git, tip: string, onto: string): Promise<Rebased> {
  const merged = await mergeTrees(git, onto, tip)
  if ('conflicts' in merged) return merged
  return {
    tip: await must(git, ['commit-tree', merged.tree, '-p', onto, '-p', tip, '-m', 'Merge what others pushed to the branch']),
  }
}

async function mergeTrees(git: Git, ours: string, theirs: string): Promise<{ tree: string } | { conflicts: string[] }> {
  const result = await git(['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs])
  const [tree = '', ...names] = result.stdout.split('\0').filter(Boolean)
  if (result.code === 0) return { tree }
  if (result.code === 1) return { conflicts: [...new Set(names)] }
  throw new Error(`git merge-tree failed: ${result.stderr.trim().slice(-500)}`)
}
