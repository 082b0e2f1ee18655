import { lstat } from 'node:fs/promises'
import { type Git, must } from '../git.ts'

/** A file that differs from a commit, and that still exists. `before` is its blob there, null if it is new; `mode` is git's, such as 120000 for a link. */
export type Change = { path: string; before: string | null; mode: string }

const NO_BLOB = /^0+$/
/** Paths of one command line. */
const CHUNK = 200

/**
 * Lists the files that differ from `from`, except those that equal the base branch: a merge of it brings files that are not the task's own.
 * @param to a commit, or null for the work tree, without files that git does not know yet
 */
export async function changesSince(git: Git, from: string, to: string | null, baseBranch: string | null): Promise<Change[]> {
  const changes = await rawDiff(git, from, to)
  if (baseBranch === null || changes.length === 0) return changes
  const known = await git(['rev-parse', '--verify', '--quiet', `${baseBranch}^{commit}`])
  if (known.code !== 0) return changes
  const differs = new Set((await rawDiff(git, known.stdout.trim(), to)).map(({ path }) => path))
  return changes.filter(({ path }) => differs.has(path))
}

/** @returns new files that git neither knows nor ignores; `repositories` are folders with a `.git` of their own, without a slash at the end */
export async function newFiles(git: Git): Promise<{ files: string[]; repositories: string[] }> {
  const paths = split(await must(git, ['ls-files', '--others', '--exclude-standard', '-z']))
  const repositories = paths.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1))
  return { files: paths.filter((path) => !path.endsWith('/')), repositories }
}

/** Runs a git command for many paths, a part of them at a time. @returns its outputs, joined */
export async function forPaths(git: Git, args: readonly string[], paths: readonly string[]): Promise<string> {
  let output = ''
  for (let at = 0; at < paths.length; at += CHUNK) output += (await git([...args, '--', ...paths.slice(at, at + CHUNK)])).stdout
  return output
}

/** @returns the fields of a `-z` output */
export function split(output: string): string[] {
  return output.split('\0').filter(Boolean)
}

/** @returns what lies at a path of the work tree, without following a link; null when nothing does */
export async function statOf(directory: string, path: string) {
  try {
    return await lstat(`${directory}/${path}`)
  } catch {
    // It is gone by now, or a folder above it is.
    return null
  }
}

async function rawDiff(git: Git, from: string, to: string | null): Promise<Change[]> {
  const fields = split(
    await must(git, ['diff', '--raw', '-z', '--no-abbrev', '--no-renames', '--no-ext-diff', from, ...(to ? [to] : []), '--']),
  )
  // `:<old mode> <new mode> <old blob> <new blob> <status>`, then the path.
  const changes: Change[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', before = '', , status = ''] = (fields[at] ?? '').split(' ')
    if (!'AMT'.includes(status)) continue
    changes.push({ path: fields[at + 1] ?? '', before: NO_BLOB.test(before) ? null : before, mode })
  }
  return changes
}
