import { readFile } from 'node:fs/promises'
import type { Git } from '../git.ts'
import { statOf } from './changed-files.ts'

/** The lines that a change adds, by path. A binary file adds none. */
export type AddedLines = ReadonlyMap<string, string>

/** Larger new files are data, and reading them all would take the sandbox's memory. */
const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 3000
const MAX_PATCH_BYTES = 32 * 1024 * 1024

const PATCH = ['-U0', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--src-prefix=a/', '--dst-prefix=b/']

/** @param to a commit, or null for the work tree */
export async function addedBetween(git: Git, from: string, to: string | null): Promise<AddedLines> {
  const { stdout } = await git(['diff', ...PATCH, from, ...(to ? [to] : []), '--'], { maxBytes: MAX_PATCH_BYTES })
  return readPatch(stdout)
}

/** @param range as `git rev-list` takes it; merges count through the commits that they bring */
export async function addedInCommits(git: Git, range: readonly string[]): Promise<AddedLines> {
  const { stdout } = await git(['log', '-p', '--format=', ...PATCH, ...range, '--'], { maxBytes: MAX_PATCH_BYTES })
  return readPatch(stdout)
}

/** @param paths files that git does not know yet; every line of them is new */
export async function addedInNewFiles(directory: string, paths: readonly string[]): Promise<AddedLines> {
  const lines = new Map<string, string>()
  for (const path of paths.slice(0, MAX_FILES)) {
    const found = await statOf(directory, path)
    if (!found?.isFile() || found.size > MAX_FILE_BYTES) continue
    const bytes = await readFile(`${directory}/${path}`)
    if (!bytes.subarray(0, 8000).includes(0)) lines.set(path, bytes.toString('utf8'))
  }
  return lines
}

/** Pure. Reads a patch without context lines: git, `git-diff`, "Generating patch text". */
export function readPatch(patch: string): AddedLines {
  const added = new Map<string, string[]>()
  let lines: string[] = []
  let isHeader = true
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) isHeader = true
    else if (isHeader && line.startsWith('+++ ')) {
      lines = added.get(pathIn(line)) ?? []
      added.set(pathIn(line), lines)
    } else if (line.startsWith('@@ ')) isHeader = false
    else if (!isHeader && line.startsWith('+')) lines.push(line.slice(1))
  }
  return new Map([...added].map(([path, texts]) => [path, texts.join('\n')]))
}

/** git ends a name with blanks in it with a tab, and puts one with other odd characters in quotes. */
function pathIn(line: string): string {
  const name = line
    .slice('+++ '.length)
    .replace(/\t$/, '')
    .replace(/^"(.*)"$/, '$1')
  return name.replace(/^b\//, '')
}
