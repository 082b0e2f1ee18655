import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import type { DiffStat } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { cutText } from '../../contract/shared/characters.ts'
import { PATCH_CUT } from '../../contract/wire/patch.ts'
import { type Git, type GitResult, must } from './git.ts'

/** Larger new files are not committed: git hosts refuse them, and the whole push with them. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024

/** `note`: which files were left out, for a person. `failed`: git's error if nothing could be committed. */
export type Committed = { note: string | null; failed: GitResult | null }

/**
 * Commits everything that is not ignored, except `leftOut`, huge new files and files that git cannot add. Having nothing to commit is fine.
 * Every other process that used the repository must have ended, because this removes their locks. Never throws.
 * @param leftOut paths relative to the root; the commit keeps what HEAD has of them
 */
export async function commitAll(git: Git, message: string, leftOut: readonly string[] = []): Promise<Committed> {
  const { note, failed } = await stageAll(git, leftOut)
  if (failed) return { note, failed }
  const staged = await git(['diff', '--cached', '--quiet', '--no-ext-diff'])
  const committed = staged.code === 0 ? staged : await git(['commit', '--quiet', '--no-verify', '-m', message])
  return { note, failed: committed.code === 0 ? null : committed }
}

/** Brings the index to what {@link commitAll} commits. */
export async function stageAll(git: Git, leftOut: readonly string[]): Promise<Committed> {
  await removeLocks(git)
  // Without this list the host may refuse the push; the work is then saved as a bundle.
  const huge = await hugeFiles(git).catch(() => [])
  const excluded = [...new Set([...huge, ...leftOut])]
  const added = await withPaths(
    git,
    ['add', '--all', '--ignore-errors'],
    ['.', ...excluded.map((path) => `:(exclude,top,literal)${path}`)],
  )
  // 1: git added all but some.
  if (added.code !== 0 && added.code !== 1) return { note: null, failed: added }
  // What the agent had added itself.
  if (leftOut.length > 0)
    await withPaths(
      git,
      ['reset', '--quiet'],
      leftOut.map((path) => `:(top,literal)${path}`),
    )
  const notes = [
    ...(huge.length > 0 ? [`Left out, larger than ${MAX_FILE_BYTES / 1024 / 1024} MB: ${huge.slice(0, 10).join(', ')}.`] : []),
    ...(added.code === 1 ? [`Left out, because git could not add it: ${cutText(added.stderr.trim(), 500)}`] : []),
  ]
  return { note: notes.join(' ') || null, failed: null }
}

/** Runs git with any number of pathspecs: a command line has no room for thousands. */
export async function withPaths(git: Git, args: readonly string[], specs: readonly string[]): Promise<GitResult> {
  if (specs.length <= FEW_PATHS) return git([...args, '--', ...specs])
  const file = `${(await git(['rev-parse', '--absolute-git-dir'])).stdout.trim()}/errand-paths`
  await writeFile(file, specs.join('\0'))
  return git([...args, `--pathspec-from-file=${file}`, '--pathspec-file-nul'])
}
const FEW_PATHS = 200

/** A killed git leaves its locks, which would make every later git fail. */
async function removeLocks(git: Git): Promise<void> {
  const directory = (await git(['rev-parse', '--absolute-git-dir'])).stdout.trim()
  try {
    const names = [
      ...(await readdir(directory)),
      ...(await readdir(`${directory}/refs`, { recursive: true })).map((name) => `refs/${name}`),
    ]
    for (const name of names.filter((name) => name.endsWith('.lock'))) await rm(`${directory}/${name}`, { force: true })
  } catch {
    // The next git call reports the lock, or the repository.
  }
}

/** @returns paths of new files that {@link commitAll} leaves out */
export async function hugeFiles(git: Git): Promise<string[]> {
  const root = await must(git, ['rev-parse', '--show-toplevel'])
  const listed = await must(git, ['ls-files', '--others', '--exclude-standard', '-z'])
  const sized = await Promise.all(
    listed.split('\0').map(async (path) => ({ path, bytes: path ? await sizeOf(`${root}/${path}`) : 0 })),
  )
  return sized.filter(({ bytes }) => bytes > MAX_FILE_BYTES).map(({ path }) => path)
}

/** @returns HEAD's commit, or null in a repository that has none */
export async function headCommit(git: Git): Promise<string | null> {
  const result = await git(['rev-parse', '--verify', '--quiet', 'HEAD'])
  return result.code === 0 ? result.stdout.trim() : null
}

/** @returns what `tip` (null: no commit) changes against `base`; binary files count as files without lines */
export async function diffStat(git: Git, base: string, tip: string | null): Promise<DiffStat> {
  if (tip === null) return { files: 0, insertions: 0, deletions: 0 }
  const rows = (await must(git, ['diff', '--numstat', '--no-ext-diff', '--no-renames', base, tip])).split('\n').filter(Boolean)
  const sum = (column: 0 | 1) => rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0)
  return { files: rows.length, insertions: sum(0), deletions: sum(1) }
}

/** @returns the patch from `base` to `tip`, at most `maxBytes`: a larger one ends at a file border, with a last line about the cut */
export async function patchOf(git: Git, base: string, tip: string, maxBytes: number = LIMITS.patchBytes): Promise<Buffer> {
  const note = `${PATCH_CUT}\n`
  const result = await git(['diff', '--binary', '--full-index', '--no-color', '--no-ext-diff', '--no-textconv', base, tip], {
    maxBytes: maxBytes - note.length,
    // Files need not be UTF-8, and the patch must have their bytes.
    encoding: 'latin1',
  })
  if (!result.cut) return Buffer.from(result.stdout, 'latin1')
  const border = result.stdout.lastIndexOf('\ndiff --git ')
  return Buffer.from((border < 0 ? '' : result.stdout.slice(0, border + 1)) + note, 'latin1')
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    // A broken link, or the file is gone by now.
    return 0
  }
}
