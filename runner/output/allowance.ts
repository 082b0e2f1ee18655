/** @returns a function that says true `perSecond` times a second at most, all of a second's at once if need be */
export function allowance(perSecond: number): () => boolean {
  let left = perSecond
  let countedAt = performance.now()
  return () => {
    const now = performance.now()
    left = Math.min(perSecond, left + ((now - countedAt) / 1_000) * perSecond)
    countedAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
