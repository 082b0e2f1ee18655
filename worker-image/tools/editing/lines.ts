/** A line, and what ends it: LF, CRLF, or nothing at the end of the text. */
export type Line = { text: string; end: string }

export function splitLines(raw: string): Line[] {
  const lines: Line[] = []
  let at = 0
  for (let next = raw.indexOf('\n'); next >= 0; next = raw.indexOf('\n', at)) {
    const crlf = next > at && raw[next - 1] === '\r'
    lines.push({ text: raw.slice(at, crlf ? next - 1 : next), end: crlf ? '\r\n' : '\n' })
    at = next + 1
  }
  lines.push({ text: raw.slice(at), end: '' })
  return lines
}

/**
 * Puts new lines in the place of old ones. A line that is the same in `asked` and `given` keeps the file's own bytes; a new line ends as
 * the one that it replaces, or as its neighbour.
 * @param file the file's lines that `asked` stands for, one for one; they may differ from it in blanks and line ends
 * @param usualEnd for new lines without a neighbour
 * @returns the text without an end after its last line
 */
export function mergeLines(file: readonly Line[], asked: readonly string[], given: readonly string[], usualEnd: string): string {
  const kept = keptLines(asked, given)
  const bounds = boundsOf(kept, asked.length)
  let old = 0
  let end = ''
  const lines = given.map((line, index) => {
    const same = kept[index] ?? null
    if (same !== null) old = same
    // The line in whose place this one stands; none when more lines come than go.
    const replaced = same !== null || old < (bounds[index] ?? 0) ? file[old++] : undefined
    end = replaced?.end || end || usualEnd
    const text = same === null ? line : (file[same]?.text ?? line)
    return index < given.length - 1 ? text + end : text
  })
  return lines.join('')
}

/** @returns for each new line the index of the next old line that is kept */
function boundsOf(kept: ReadonlyArray<number | null>, count: number): number[] {
  const bounds: number[] = new Array(kept.length)
  let bound = count
  for (let index = kept.length - 1; index >= 0; index--) {
    bound = kept[index] ?? bound
    bounds[index] = bound
  }
  return bounds
}

/** The end of most lines; LF in a text of one line. */
export function usualEndOf(raw: string): string {
  const crlf = countOf(raw, '\r\n')
  return crlf > countOf(raw, '\n') - crlf ? '\r\n' : '\n'
}

export function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1
  return count
}

/** Above this many comparisons, lines in the middle are paired in order instead of as many as possible. */
const MOST_CELLS = 2_000_000

/** @returns for each line of `given` the index of the line of `asked` that it is, unchanged; null for a new line */
export function keptLines(asked: readonly string[], given: readonly string[]): Array<number | null> {
  const kept: Array<number | null> = given.map(() => null)
  let head = 0
  while (head < asked.length && head < given.length && asked[head] === given[head]) {
    kept[head] = head
    head += 1
  }
  let tail = 0
  while (tail < Math.min(asked.length, given.length) - head && asked.at(-1 - tail) === given.at(-1 - tail)) {
    kept[given.length - 1 - tail] = asked.length - 1 - tail
    tail += 1
  }
  const [left, right] = [asked.slice(head, asked.length - tail), given.slice(head, given.length - tail)]
  const middle = left.length * right.length <= MOST_CELLS ? longestCommon(left, right) : inOrder(left, right)
  for (const [index, old] of middle) kept[index + head] = old + head
  return kept
}

function longestCommon(left: readonly string[], right: readonly string[]): Array<[number, number]> {
  const width = right.length + 1
  const lengths = new Uint32Array((left.length + 1) * width)
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      lengths[i * width + j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const pairs: Array<[number, number]> = []
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) pairs.push([j++, i++])
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1
    else j += 1
  }
  return pairs
}

function inOrder(left: readonly string[], right: readonly string[]): Array<[number, number]> {
  const places = new Map<string, number[]>()
  for (const [index, line] of left.entries()) places.set(line, [...(places.get(line) ?? []), index].slice(0, 50))
  const pairs: Array<[number, number]> = []
  let after = -1
  for (const [index, line] of right.entries()) {
    const place = places.get(line)?.find((candidate) => candidate > after)
    if (place === undefined) continue
    pairs.push([index, place])
    after = place
  }
  return pairs
}
