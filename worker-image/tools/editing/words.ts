/** A word of a wanted text: the lines of that text that have it, and the lines of the file that have it, both from 0. */
export type WordPlaces = { offsets: number[]; places: number[] }

/** How many of the wanted lines are looked at. */
const MOST_LINES = 60
/** A word in more lines of the file than this says nothing about a place, unless all words are like that. */
const MOST_PLACES = 1000

/**
 * Finds the words of the wanted lines in a text, in one pass. A word is a run of letters and digits; every other character outside ASCII is a
 * word of its own, because many scripts have no spaces.
 */
export function findWords(text: string, asked: readonly string[]): WordPlaces[] {
  const words = new Map<number, WordPlaces>()
  for (const [offset, line] of asked.slice(0, MOST_LINES).entries())
    eachWord(line, (hash) => {
      const word = words.get(hash) ?? { offsets: [], places: [] }
      if (word.offsets.at(-1) !== offset) word.offsets.push(offset)
      words.set(hash, word)
    })
  // Most words of the file are none of these: one bit tells.
  const known = new Uint8Array(SLOTS)
  for (const hash of words.keys()) known[hash % SLOTS] = 1
  eachWord(text, (hash, line) => {
    if (known[hash % SLOTS] === 0) return
    const places = words.get(hash)?.places
    if (places && places.length <= MOST_PLACES && places.at(-1) !== line) places.push(line)
  })
  const all = [...words.values()]
  const rare = all.filter(({ places }) => places.length <= MOST_PLACES)
  return rare.some(({ places }) => places.length > 0) ? rare : all
}

const SLOTS = 2 ** 16
/** So that a hash times 31 is exact. */
const MODULUS = 2 ** 26 - 5

function eachWord(text: string, onWord: (hash: number, line: number) => void): void {
  let line = 0
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (isWordUnit(unit)) {
      hash = (hash * 31 + unit) % MODULUS
      continue
    }
    if (hash !== 0) onWord(hash, line)
    hash = 0
    if (unit === 0x0a) line += 1
    else if (unit >= 0x80) onWord(unit, line)
  }
  if (hash !== 0) onWord(hash, line)
}

/** A to Z, a to z, 0 to 9, `_` and `$`. */
function isWordUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x5f ||
    unit === 0x24
  )
}
