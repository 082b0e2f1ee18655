import type { ChangedFile } from '../../../../contract/api/api.ts'

/** A place that next and previous go to: a hunk of a file, or the file by itself when it shows none. */
export type Stop = { path: string; hunk: number | null }

/** Every place to go to, in the order of the screen. */
export function changeStops(files: readonly ChangedFile[]): Stop[] {
  return files.flatMap(({ path, patch }): Stop[] => {
    // Inside of a hunk each line begins with its sign.
    const hunks = patch?.match(/^@@ -/gm)?.length ?? 0
    return hunks === 0 ? [{ path, hunk: null }] : Array.from({ length: hunks }, (_, hunk) => ({ path, hunk }))
  })
}

/**
 * Where somebody is among the stops: at one of them, or (a half) before it, when they opened its file by hand.
 * @returns the next one, or the one before; the first and the last are the ends
 */
export function stepFrom(place: number, by: 1 | -1, stops: number): number {
  const next = by === 1 ? Math.floor(place + 1) : Math.ceil(place - 1)
  return Math.min(Math.max(next, 0), stops - 1)
}
