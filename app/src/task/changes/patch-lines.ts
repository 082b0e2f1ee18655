import type { ChangedFile } from '../../../../contract/api/changes.ts'
import { visibleMarks } from '../text/format.ts'

/** One row of a file's patch. `before` and `after` are line numbers in the old and the new file; a `note` is git's own. */
export type PatchRow =
  | { kind: 'same'; text: string; before: number; after: number }
  | { kind: 'add'; text: string; after: number }
  | { kind: 'del'; text: string; before: number }
  | { kind: 'hunk'; text: string; before: number; after: number }
  | { kind: 'note'; text: string }

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/

/**
 * The rows of one file's unified diff as git writes it, without the part above the first hunk (names, modes, index). Inside a hunk the
 * first character alone decides, so that a removed line `-- x` is not taken for a header.
 */
export function patchLines(patch: string): PatchRow[] {
  const rows: PatchRow[] = []
  let before = 0
  let after = 0
  let inside = false
  for (const line of visibleMarks(patch).replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(line)
    if (hunk) {
      inside = true
      before = Number(hunk[1])
      after = Number(hunk[2])
      rows.push({ kind: 'hunk', text: hunk[3] ?? '', before, after })
      continue
    }
    if (!inside) continue
    const text = line.slice(1)
    if (line.startsWith('+')) rows.push({ kind: 'add', text, after: after++ })
    else if (line.startsWith('-')) rows.push({ kind: 'del', text, before: before++ })
    else if (line.startsWith('\\')) rows.push({ kind: 'note', text: text.trim() })
    else rows.push({ kind: 'same', text, before: before++, after: after++ })
  }
  return rows
}

/** A stop of the next and previous buttons: a hunk of a file, or the file itself if it shows none. */
export type Stop = { path: string; hunk: number | null }

/** Every stop, in screen order. */
export function changeStops(files: readonly ChangedFile[]): Stop[] {
  return files.flatMap(({ path, patch }): Stop[] => {
    // Inside a hunk each line begins with its sign, so this matches only hunk headers.
    const hunks = patch?.match(/^@@ -/gm)?.length ?? 0
    return hunks === 0 ? [{ path, hunk: null }] : Array.from({ length: hunks }, (_, hunk) => ({ path, hunk }))
  })
}

/**
 * @param place the user's place among the stops: at one, or half a step before it if they opened its file by hand
 * @returns the next or the previous stop, within the first and the last
 */
export function stepFrom(place: number, by: 1 | -1, stops: number): number {
  const next = by === 1 ? Math.floor(place + 1) : Math.ceil(place - 1)
  return Math.min(Math.max(next, 0), stops - 1)
}
