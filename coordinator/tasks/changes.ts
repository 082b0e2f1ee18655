import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ChangedFile, Changes } from '../../contract/api/changes.ts'
import { OWN_ACCOUNT, PATCH_LEFT_OUT, readPatchHead } from '../../contract/wire/patch.ts'
import { ArtifactKind, MADE_OUTSIDE, OF_UNPUSHED_WORK } from '../../contract/wire/sandbox.ts'
import { Refusal } from '../process/errors.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

type Parts = Pick<TaskParts, 'db' | 'artifacts'>

/** What the task, or one turn of it, changed, file by file, and whose word that is. Without a patch there are no files. */
export async function readChanges(parts: Parts, userId: string, taskId: string, turn?: number): Promise<Changes> {
  const found = await findArtifact(parts, userId, taskId, patchKinds(turn), turn)
  const patch = found ? await text(found.content) : ''
  // An earlier version stored the sandbox's own patch under the name of ours, without our first lines.
  const origin = found && MADE_OUTSIDE.includes(found.kind) ? readPatchHead(patch) : null
  const source = origin ? 'git-host' : found ? 'agent' : null
  return { turn: turn ?? null, ...parsePatch(patch), source, commit: origin?.commit ?? null }
}

/** @throws Refusal `not_found` when there is no patch */
export function openPatch(parts: Parts, userId: string, taskId: string, turn?: number): Promise<Readable> {
  return openArtifact(parts, userId, taskId, patchKinds(turn), 'patch', turn)
}

/** @throws Refusal `not_found` when there is no bundle */
export function openBundle(parts: Parts, userId: string, taskId: string): Promise<Readable> {
  return openArtifact(parts, userId, taskId, ['bundle'], 'bundle')
}

/** @returns the path of the file. @throws Refusal `not_found` when the full output was not kept */
export async function locateOutput(
  { db, artifacts, config }: Parts & Pick<TaskParts, 'config'>,
  userId: string,
  taskId: string,
  callId: string,
): Promise<string> {
  const { created_at } = await findOwnTask(db, userId, taskId)
  const kind = ArtifactKind.safeParse(`output.${callId}`)
  const path = kind.success ? await artifacts.locate(taskId, kind.data) : null
  if (path !== null) return path
  const { outputDays } = config.storage
  const mayBeExpired = outputDays > 0 && created_at < Date.now() - outputDays * 24 * 60 * 60_000
  const why = mayBeExpired ? `Full outputs are kept for ${outputDays} days` : 'The full output was not kept'
  throw new Refusal('not_found', `${why}; this is all there is.`)
}

type Kinds = readonly [ArtifactKind, ...ArtifactKind[]]

/** Where an attempt left both, it pushed: then ours is the newer. */
function patchKinds(turn: number | undefined): Kinds {
  return turn === undefined ? ['patch', 'unpushed-patch'] : ['turn-patch', 'unpushed-turn-patch']
}

async function openArtifact(
  parts: Parts,
  userId: string,
  taskId: string,
  kinds: Kinds,
  what: 'patch' | 'bundle',
  turn?: number,
): Promise<Readable> {
  const found = await findArtifact(parts, userId, taskId, kinds, turn)
  if (found) return OF_UNPUSHED_WORK.includes(found.kind) ? asOwnAccount(found.content) : found.content
  const whose = turn === undefined ? 'This task' : `Turn ${turn} of this task`
  throw new Refusal('not_found', `${whose} has no ${what} yet, or never made one.`)
}

/** Whoever reads the patch elsewhere must see whose word it is; `git apply` skips the line. */
function asOwnAccount(patch: Readable): Readable {
  return Readable.from(
    (async function* () {
      yield `${OWN_ACCOUNT}\n`
      yield* patch
    })(),
  )
}

async function findArtifact({ db, artifacts }: Parts, userId: string, taskId: string, kinds: Kinds, turn?: number) {
  await findOwnTask(db, userId, taskId)
  return artifacts.open(taskId, kinds, turn)
}

/** A file whose part of the patch is longer is named but not shown. */
const MAX_LINES = 2_000
const MAX_CHARS = 200_000
/** Everything after so many files or lines is left out. */
const MOST_FILES = 10_000
const MOST_LINES = 500_000

/**
 * Parses the output of `git diff` (git-scm.com, "diff-generate-patch"). The header of each hunk says how many lines belong to it: a changed
 * line may look like any header.
 */
export function parsePatch(patch: string): { files: ChangedFile[]; truncated: boolean } {
  const parts: string[][] = []
  let left = { old: 0, new: 0 }
  let truncated = false
  let count = 0
  for (const line of linesOf(patch)) {
    if (++count > MOST_LINES || parts.length > MOST_FILES) {
      // The last file may be incomplete.
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
    else if (line.startsWith('# Cut here') || line.startsWith(PATCH_LEFT_OUT)) truncated = true
    else part?.push(line)
    const [, old = '1', fresh = '1'] = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line) ?? [null, '0', '0']
    left = { old: Number(old), new: Number(fresh) }
  }
  return { files: parts.map(fileOf), truncated }
}

/** Line by line: an array of the lines of a patch that is all line ends would take gigabytes. */
function* linesOf(text: string): Generator<string> {
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
  const header = (prefix: string) => head.find((line) => line.startsWith(prefix))?.slice(prefix.length)
  const from = pathOf(header('rename from '))
  const binary = head.some((line) => /^(Binary files .* differ|GIT binary patch)$/.test(line))
  const text = lines.join('\n').trimEnd()
  const huge = lines.length > MAX_LINES || text.length > MAX_CHARS
  return {
    path:
      pathOf(header('rename to ')) ?? withoutSide(header('+++ ')) ?? withoutSide(header('--- ')) ?? pathInTitle(lines[0] ?? ''),
    oldPath: from,
    kind:
      header('new file mode') !== undefined
        ? 'added'
        : header('deleted file mode') !== undefined
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

/** `a/path` or `b/path`; null for a side that does not exist. A tab ends a path that contains a space. */
function withoutSide(side: string | undefined): string | null {
  const path = pathOf(side?.replace(/\t$/, ''))
  return path === null || path === '/dev/null' ? null : path.slice(2)
}

/** A file without changed lines is named only in the title, twice: `diff --git a/x b/x`. */
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
