const MOST = 1_000

/** The index of a text, and a position in it. */
type Place = { text: number; at: number }

/** Finds a word in consecutive texts; it may begin in one and end in another. At most a thousand places. */
export function findPlaces(texts: readonly string[], wanted: string): { start: Place; end: Place }[] {
  const needle = wanted.toLowerCase()
  if (needle === '') return []
  const text = texts.join('')
  const low = text.toLowerCase()
  // In a few scripts lower case is longer, and positions would not match.
  const hay = low.length === text.length ? low : text
  const found: { start: Place; end: Place }[] = []
  let index = 0
  let from = 0
  /** The place of the character at `at`. Calls must go from the beginning to the end. */
  const placeOf = (at: number): Place => {
    for (let length = texts[index]?.length ?? 0; from + length <= at; length = texts[index]?.length ?? 0) {
      from += length
      index += 1
    }
    return { text: index, at: at - from }
  }
  for (let at = hay.indexOf(needle); at >= 0 && found.length < MOST; at = hay.indexOf(needle, at + needle.length)) {
    const start = placeOf(at)
    const last = placeOf(at + needle.length - 1)
    found.push({ start, end: { text: last.text, at: last.at + 1 } })
  }
  return found
}
