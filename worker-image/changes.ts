import { stat } from 'node:fs/promises'
import type { DiffStat } from '../contract/event.ts'
import { LIMITS } from '../contract/limits.ts'
import { type Git, type GitResult, must } from './git.ts'

/** A new file larger than this is not committed: git hosts refuse it, and with it the whole push. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024

export type Committed = { ok: true; note: string | null } | { ok: false; result: GitResult }

/**
 * Commits everything that is not ignored, apart from huge new files; nothing to commit is fine.
 * @returns a note that names what was left out, or git's words when even the commit failed
 */
export const commitAll = async (git: Git, message: string): Promise<Committed> => {
  const huge = await hugeFiles(git)
  const added = await git(['add', '--all', '--', '.', ...huge.map((path) => `:(exclude,top,literal)${path}`)])
  if (added.code !== 0) return { ok: false, result: added }
  const staged = await git(['diff', '--cached', '--quiet', '--no-ext-diff'])
  if (staged.code !== 0) {
    const committed = await git(['commit', '--quiet', '--no-verify', '-m', message])
    if (committed.code !== 0) return { ok: false, result: committed }
  }
  const note =
    huge.length === 0 ? null : `Left out, larger than ${MAX_FILE_BYTES / 1024 / 1024} MB: ${huge.slice(0, 10).join(', ')}.`
  return { ok: true, note }
}

/** @returns paths of new files that {@link commitAll} leaves out */
export const hugeFiles = async (git: Git): Promise<string[]> => {
  const root = await must(git, ['rev-parse', '--show-toplevel'])
  const listed = await must(git, ['ls-files', '--others', '--exclude-standard', '-z'])
  const sized = await Promise.all(
    listed.split('\0').map(async (path) => ({ path, bytes: path ? await sizeOf(`${root}/${path}`) : 0 })),
  )
  return sized.filter(({ bytes }) => bytes > MAX_FILE_BYTES).map(({ path }) => path)
}

/** @returns HEAD's commit, or null in a repository that has none */
export const headCommit = async (git: Git): Promise<string | null> => {
  const result = await git(['rev-parse', '--verify', '--quiet', 'HEAD'])
  return result.code === 0 ? result.stdout.trim() : null
}

/** @returns what `tip` (null: no commit) changes against `base`; binary files count as files without lines */
export const diffStat = async (git: Git, base: string, tip: string | null): Promise<DiffStat> => {
  if (tip === null) return { files: 0, insertions: 0, deletions: 0 }
  const rows = (await must(git, ['diff', '--numstat', '--no-ext-diff', '--no-renames', base, tip])).split('\n').filter(Boolean)
  const sum = (column: 0 | 1) => rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0)
  return { files: rows.length, insertions: sum(0), deletions: sum(1) }
}

/** @returns the patch from `base` to `tip`, at most `maxBytes`: a larger one ends at a file border, and says so in its last line */
export const patchOf = async (git: Git, base: string, tip: string, maxBytes: number = LIMITS.patchBytes): Promise<Buffer> => {
  const note = '# Cut here: the whole change is larger than what is shown. The branch holds all of it.\n'
  const result = await git(['diff', '--no-color', '--no-ext-diff', '--no-textconv', base, tip], {
    maxBytes: maxBytes - note.length,
  })
  if (!result.cut) return Buffer.from(result.stdout)
  const border = result.stdout.lastIndexOf('\ndiff --git ')
  return Buffer.from((border < 0 ? '' : result.stdout.slice(0, border + 1)) + note)
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch {
    // A broken link, or gone since it was listed.
    return 0
  }
}
