import type { ChangedFile } from '../../contract/api/api.ts'

/** A file's part of a patch that is longer is named, and not shown. */
const MAX_LINES = 2_000
const MAX_CHARS = 200_000
/** What comes after so many files or lines is left out. */
const MOST_FILES = 10_000
const MOST_LINES = 500_000

/**
 * Reads what `git diff` prints (git-scm.com, "diff-generate-patch"). Lines are counted by each hunk's own header: a changed line may look
 * like the header of anything.
 */
export function parsePatch(patch: string): { files: ChangedFile[]; truncated: boolean } {
  const parts: string[][] = []
  let left = { old: 0, new: 0 }
  let truncated = false
  let count = 0
  for (const line of linesOf(patch)) {
    if (++count > MOST_LINES || parts.length > MOST_FILES) {
      // The last file may go on.
      parts.pop()
      truncated = true
      break
    }
    const part = parts.at(-1)
    if (left.old > 0 || left.new > 0) {
      if (line.startsWith('+')) left.new -= 1
      else if (line.startsWith('-')) left.old -= 1
      else if (!line.startsWith('\\')) left = { old: left.old - 1, new: left.new - 1 }
      part?.push(line)
      continue
    }
    if (line.startsWith('diff --git ')) parts.push([line])
    else if (line.startsWith('# Cut here')) truncated = true
    else part?.push(line)
    const [, old = '1', fresh = '1'] = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line) ?? [null, '0', '0']
    left = { old: Number(old), new: Number(fresh) }
  }
  return { files: parts.map(fileOf), truncated }
}

/** Line by line: those of a patch of line ends alone would take gigabytes together. */
const linesOf = function* (text: string): Generator<string> {
  for (let from = 0; ; ) {
    const end = text.indexOf('\n', from)
    yield text.slice(from, end < 0 ? undefined : end)
    if (end < 0) return
    from = end + 1
  }
}

function fileOf(lines: readonly string[]): ChangedFile {
  const border = lines.findIndex((line) => line.startsWith('@@ '))
  const head = border < 0 ? lines : lines.slice(0, border)
  const body = border < 0 ? [] : lines.slice(border)
  const said = (prefix: string) => head.find((line) => line.startsWith(prefix))?.slice(prefix.length)
  const from = pathOf(said('rename from '))
  const binary = head.some((line) => /^(Binary files .* differ|GIT binary patch)$/.test(line))
  const text = lines.join('\n').trimEnd()
  const huge = lines.length > MAX_LINES || text.length > MAX_CHARS
  return {
    path: pathOf(said('rename to ')) ?? withoutSide(said('+++ ')) ?? withoutSide(said('--- ')) ?? pathInTitle(lines[0] ?? ''),
    oldPath: from,
    kind:
      said('new file mode') !== undefined
        ? 'added'
        : said('deleted file mode') !== undefined
          ? 'deleted'
          : from !== null
            ? 'renamed'
            : 'modified',
    insertions: body.filter((line) => line.startsWith('+')).length,
    deletions: body.filter((line) => line.startsWith('-')).length,
    binary,
    huge,
    patch: binary || huge ? null : text,
  }
}

/** `a/path` or `b/path`; null for the side that is not there. A tab ends a path that has a space in it. */
function withoutSide(side: string | undefined): string | null {
  const path = pathOf(side?.replace(/\t$/, ''))
  return path === null || path === '/dev/null' ? null : path.slice(2)
}

/** Of a file without a line to show the title alone names it, twice: `diff --git a/x b/x`. */
function pathInTitle(title: string): string {
  const both = title.slice('diff --git '.length)
  return withoutSide(both.slice(both.length / 2 + 1)) ?? both
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** git quotes a path with unusual characters as C does, its bytes in octal. */
function pathOf(name: string | undefined): string | null {
  if (name === undefined) return null
  if (!/^".*"$/.test(name)) return name
  const bytes: number[] = []
  for (const [, octal, letter, plain] of name.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gs)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (letter !== undefined) bytes.push(ESCAPES[letter] ?? letter.charCodeAt(0))
    else bytes.push(...Buffer.from(plain ?? ''))
  }
  return Buffer.from(bytes).toString()
}
