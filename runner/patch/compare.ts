import type { DiffStat } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import { PATCH_CUT, PATCH_LEFT_OUT } from '../../contract/wire/patch.ts'
import { BIG_FILE_BYTES, type HostGit, mustGit } from './git.ts'

/** What a commit or tree changes against another one: a patch for `git apply`, and its size. */
export type Comparison = { diff: DiffStat; patch: Buffer }

/** No program, no attribute and no setting decides how a change is shown; a renamed file is shown as one. */
const PLAIN = ['--no-color', '--no-ext-diff', '--no-textconv', '--ignore-submodules=none', '--submodule=short'] as const
/** Changes with more files than this that are too large are not shown at all. */
const MOST_LEFT_OUT = 100

/**
 * Compares two commits or trees.
 * @param head lines that name both, before the patch; `git apply` skips them
 * @param maxBytes of the patch: a larger one ends at a file border, and says so
 */
export async function compare(
  git: HostGit,
  from: string,
  to: string,
  head: string,
  maxBytes: number = LIMITS.patchBytes,
): Promise<Comparison> {
  const { code, stdout, stderr, cut } = await git([
    'diff',
    '--raw',
    '--numstat',
    '-z',
    '--no-abbrev',
    '--no-renames',
    ...PLAIN,
    from,
    to,
  ])
  if (cut) throw new Error('the change has too many files to be listed')
  if (code !== 0) throw new Error(`git diff failed (${code}): ${stderr.trim().slice(-1000)}`)
  const { files, diff } = readList(stdout)
  const leftOut = await tooLarge(git, files)
  const notes = leftOut.map(
    (path) =>
      `${PATCH_LEFT_OUT} ${Buffer.from(path, 'latin1')
        .toString('utf8')
        .replace(/\p{Cc}/gu, '?')}\n`,
  )
  const beginning = Buffer.from(`${head}${notes.join('')}`)
  if (leftOut.length > MOST_LEFT_OUT) return { diff, patch: Buffer.from(`${head}${PATCH_CUT}\n`) }
  const shown = await patchOf(git, [from, to, '--', '.', ...leftOut.map(excluding)], maxBytes - beginning.length)
  return { diff, patch: Buffer.concat([beginning, shown]) }
}

async function patchOf(git: HostGit, args: readonly string[], maxBytes: number): Promise<Buffer> {
  const note = Buffer.from(`${PATCH_CUT}\n`)
  const room = Math.max(0, maxBytes - note.length)
  const { code, stdout, stderr, cut } = await git(['diff', '--binary', '--full-index', '--find-renames', ...PLAIN, ...args], {
    maxBytes: room,
  })
  if (!cut && code !== 0) throw new Error(`git diff failed (${code}): ${stderr.trim().slice(-1000)}`)
  if (!cut) return stdout
  const border = stdout.lastIndexOf('\ndiff --git ')
  return Buffer.concat([stdout.subarray(0, border < 0 ? 0 : border + 1), note])
}

/** A changed file. The path is latin1 text: one character a byte, whatever the bytes mean. */
type Listed = { path: string; blobs: string[]; isText: boolean }

/** Reads `git diff --raw --numstat -z` without renames: first `:<modes> <blobs> <kind>` and the path of each file, then the lines of each. */
function readList(output: Buffer): { files: Listed[]; diff: DiffStat } {
  const fields = output.toString('latin1').split('\0')
  const blobs = new Map<string, string[]>()
  const files: Listed[] = []
  const diff: DiffStat = { files: 0, insertions: 0, deletions: 0 }
  for (let at = 0; at < fields.length - 1; at += 1) {
    const field = fields[at] ?? ''
    if (field.startsWith(':')) {
      const [oldMode = '', newMode = '', oldBlob = '', newBlob = ''] = field.slice(1).split(' ')
      const isFile = (mode: string) => mode.startsWith('1') && mode !== GITLINK
      at += 1
      blobs.set(fields[at] ?? '', [...(isFile(oldMode) ? [oldBlob] : []), ...(isFile(newMode) ? [newBlob] : [])])
      continue
    }
    const [, added = '', removed = '', path = ''] = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(field) ?? []
    files.push({ path, blobs: blobs.get(path) ?? [], isText: added !== '-' })
    diff.files += 1
    diff.insertions += Number(added) || 0
    diff.deletions += Number(removed) || 0
  }
  return { files, diff }
}

const GITLINK = '160000'

/** @returns the paths of files with a side of more than {@link BIG_FILE_BYTES}, and of those that the same pathspec leaves out */
async function tooLarge(git: HostGit, files: readonly Listed[]): Promise<string[]> {
  const large: string[] = []
  for (const { path, blobs, isText } of files) {
    if (isText || large.length > MOST_LEFT_OUT) continue
    for (const blob of blobs)
      if (Number(await mustGit(git, ['cat-file', '-s', blob])) > BIG_FILE_BYTES) {
        large.push(path)
        break
      }
  }
  const isNamed = (path: string) => large.some((one) => one === path || patternOf(one).test(path))
  return large.length === 0 ? [] : files.map(({ path }) => path).filter(isNamed)
}

/** A pathspec for one file. An argument cannot hold a byte that is not UTF-8, so any byte stands in its place. */
function excluding(path: string): string {
  return isAscii(path) ? `:(exclude,top,literal)${path}` : `:(exclude,top,glob)${[...path].map(anyByte).join('')}`
}

function anyByte(character: string): string {
  return isAscii(character) ? character.replace(/[*?[\]\\]/, '\\$&') : '?'
}

function patternOf(path: string): RegExp {
  return new RegExp(
    `^${[...path].map((one) => (isAscii(one) ? one.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&') : '[^/]')).join('')}$`,
    's',
  )
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}
