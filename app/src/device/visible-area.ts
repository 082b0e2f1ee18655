/** A window lower than this has a keyboard over it or is in landscape: everything that typing does not need makes space. CSS pixels. */
const LOW_PX = 416

export type Viewport = {
  /** Height of the page's own frame, which a keyboard may cover. */
  pageHeight: number
  /** What the user sees of it: how much, from where, and how far they zoomed in. */
  seen: { height: number; offsetTop: number; scale: number }
}

/**
 * Android shrinks the page above its keyboard (`interactive-widget`). iOS lays the keyboard over the page, so what sticks to the lower
 * edge has to be lifted. A user who zooms in sees only a part too, but without a keyboard.
 */
export function visibleArea({ pageHeight, seen }: Viewport): { isLow: boolean; coveredPx: number } {
  const isZoomed = seen.scale > 1.01
  const coveredPx = isZoomed ? 0 : Math.max(0, Math.round(pageHeight - seen.height - seen.offsetTop))
  return { isLow: pageHeight - coveredPx < LOW_PX, coveredPx }
}
