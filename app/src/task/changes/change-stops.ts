import type { ChangedFile } from '../../../../contract/api/api.ts'

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
