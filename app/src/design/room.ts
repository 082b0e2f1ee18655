/** A window lower than this has a keyboard over it, or lies on its side: what is not needed for typing makes room. CSS pixels. */
const LOW_PX = 416

export type Seen = {
  /** Of the page's own frame, which a keyboard may lie over. */
  pageHeight: number
  /** What is seen of it: how much, from where, and how far a person zoomed in. */
  seen: { height: number; offsetTop: number; scale: number }
}

/**
 * How much room there is. Android shrinks the page above its keyboard (`interactive-widget`); iOS lays the keyboard over the page, and
 * what sticks to the lower edge has to be lifted. Whoever zooms in sees a part too, and has no keyboard.
 */
export function roomIn({ pageHeight, seen }: Seen): { isLow: boolean; coveredPx: number } {
  const isZoomed = seen.scale > 1.01
  const coveredPx = isZoomed ? 0 : Math.max(0, Math.round(pageHeight - seen.height - seen.offsetTop))
  return { isLow: pageHeight - coveredPx < LOW_PX, coveredPx }
}
