import { open } from 'node:fs/promises'
import type { Git } from '../git.ts'
import { type Change, forPaths, split } from './changed-files.ts'
import { type Finding, found } from './finding.ts'

/** What a file begins with that has been through its filter already: https://git-lfs.com/spec/v1, and git-crypt's `NOT_ENCRYPTED` check. */
const FILTERED: readonly string[] = ['version https://git-lfs.github.com/spec/v1\n', '\0GITCRYPT\0']
const HEAD_BYTES = 64

/**
 * The filters that the repository's attributes ask for and that this machine does not have (git, `gitattributes`, "filter"). git would
 * commit such a file as it lies there: a large file raw, a secret in plain text.
 * @returns their names, such as `lfs`
 */
export async function missingFilters(git: Git): Promise<string[]> {
  const grep = [
    'grep',
    '--untracked',
    '--no-color',
    '-h',
    '-o',
    '-E',
    'filter=[^[:space:]]+',
    '--',
    ':(top,glob)**/.gitattributes',
  ]
  const names = (await git(grep)).stdout.split('\n').flatMap((line) => (line ? [line.replace('filter=', '')] : []))
  const missing: string[] = []
  for (const name of new Set(names)) if (!(await hasDriver(git, name))) missing.push(name)
  return missing
}

/** Finds changed files that would be committed without the filter that they need. */
export async function findFilters(git: Git, directory: string, changes: readonly Change[]): Promise<Finding[]> {
  const missing = await missingFilters(git)
  if (missing.length === 0) return []
  // Triples of path, attribute and value.
  const fields = split(
    await forPaths(
      git,
      ['check-attr', '-z', 'filter'],
      changes.map(({ path }) => path),
    ),
  )
  const paths = new Map<string, string[]>()
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [path = '', , filter = ''] = fields.slice(at, at + 3)
    if (missing.includes(filter) && !(await isFiltered(`${directory}/${path}`)))
      paths.set(filter, [...(paths.get(filter) ?? []), path])
  }
  return [...paths].flatMap(([filter, files]) => found('filter', files, filter))
}

async function hasDriver(git: Git, name: string): Promise<boolean> {
  const keys = [`filter.${name}.clean`, `filter.${name}.process`]
  const answers = await Promise.all(keys.map((key) => git(['config', '--get', key])))
  return answers.some(({ code }) => code === 0)
}

async function isFiltered(path: string): Promise<boolean> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
      const head = buffer.toString('latin1', 0, bytesRead)
      return FILTERED.some((beginning) => head.startsWith(beginning))
    } finally {
      await file.close()
    }
  } catch {
    // A link or a file that cannot be read has no content to be filtered.
    return true
  }
}
