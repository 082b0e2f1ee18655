import { relative, resolve } from 'node:path'
import { type Git, must } from '../git.ts'
import { forPaths, split, statOf } from './changed-files.ts'
import { isGenerated } from './file-names.ts'
import { type Finding, found } from './finding.ts'

/** A file that somebody wrote by hand is small, and few are in a folder that git ignores whole. */
const MAX_BYTES = 64 * 1024
const MOST_IN_FOLDER = 10
const MOST = 50

/**
 * Finds files that the commit will not have because git ignores them: those that the agent's own tools wrote, and small new ones that no
 * build, test or install makes.
 * @param written paths that the agent's tools wrote, absolute or relative to the work tree
 */
export async function findIgnored(git: Git, directory: string, written: readonly string[]): Promise<Finding[]> {
  const below = written.map((path) => relative(directory, resolve(directory, path))).filter((path) => !path.startsWith('..'))
  const own = new Set(split(await ignoredOf(git, below)))
  const listed = split(await must(git, ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z']))
  const files = listed.filter((path) => !path.endsWith('/') && !isGenerated(path))
  for (const folder of listed.filter((path) => path.endsWith('/') && !isGenerated(path)).slice(0, MOST)) {
    const inside = split(await must(git, ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', folder]))
    if (inside.length <= MOST_IN_FOLDER) files.push(...inside.filter((path) => !path.endsWith('/') && !isGenerated(path)))
  }
  const small: string[] = []
  for (const path of files.slice(0, MOST)) {
    const file = await statOf(directory, path)
    if (file?.isFile() && file.size <= MAX_BYTES && !own.has(path)) small.push(path)
  }
  const there = await Promise.all([...own].map(async (path) => ((await statOf(directory, path)) ? [path] : [])))
  return [...found('ignored', there.flat(), 'written'), ...found('ignored', [...new Set(small)])]
}

/** `--no-index` is not given: a file that git knows is not ignored, whatever the patterns say. */
function ignoredOf(git: Git, paths: readonly string[]): Promise<string> {
  return forPaths(
    git,
    ['ls-files', '--others', '--ignored', '--exclude-standard', '-z'],
    paths.map((path) => `:(top,literal)${path}`),
  )
}
