/** The most that an answer about a change has, bytes of UTF-8, and the most characters of one of its lines. */
export const ANSWER_BYTES = 8 * 1024
export const LINE_CHARS = 2000

/** Lines around the change. */
const CONTEXT_LINES = 4
/** Of a longer line, this much is shown around the change. */
const PIECE_CHARS = 1500

/**
 * A changed passage with its line numbers and a few lines around it. Of a very long line only the piece around the change is shown, and
 * the cut places are marked.
 * @param start where the change begins in the text, and `end` where it ends
 */
export function excerptOf(text: string, start: number, end: number, maxBytes: number): string {
  const first = lineStartAt(text, start)
  const number = countLines(text, first)
  const changed: string[] = []
  let at = first
  let bytes = 0
  let left = 0
  while (at <= end && at <= text.length) {
    const stop = lineEndAt(text, at)
    if (bytes > maxBytes) left += 1
    else {
      const row = rowOf(number + changed.length, text, at, stop, Math.max(start, at), Math.min(end, stop))
      bytes += Buffer.byteLength(row) + 1
      if (bytes > maxBytes - 60 && changed.length > 0) left += 1
      else changed.push(row)
    }
    at = stop + 1
  }
  if (left > 0) return [...changed, `(${left} more changed lines are not shown)`].join('\n')
  return withContext(text, { rows: changed, first, after: at, number }, maxBytes - bytes).join('\n')
}

type Passage = { rows: string[]; first: number; after: number; number: number }

function withContext(text: string, { rows, first, after, number }: Passage, room: number): string[] {
  const all = [...rows]
  let left = room
  const fits = (row: string) => {
    left -= Buffer.byteLength(row) + 1
    return left >= 0
  }
  let next = after
  for (let index = 0; index < CONTEXT_LINES && next < text.length; index++) {
    const stop = lineEndAt(text, next)
    const row = rowOf(number + rows.length + index, text, next, stop, next, next)
    if (!fits(row)) break
    all.push(row)
    next = stop + 1
  }
  let before = first
  for (let index = 1; index <= CONTEXT_LINES && before > 0; index++) {
    const stop = before - 1
    before = lineStartAt(text, stop)
    const row = rowOf(number - index, text, before, stop, stop, stop)
    if (!fits(row)) break
    all.unshift(row)
  }
  return all
}

function rowOf(number: number, text: string, start: number, stop: number, from: number, to: number): string {
  return `${String(number).padStart(6)}\t${pieceOf(text, start, stop, from, to)}`
}

/** @returns the line from `start` to `stop`, or its piece around `from` to `to` with marks where it is cut */
export function pieceOf(text: string, start: number, stop: number, from: number, to: number): string {
  if (stop - start <= LINE_CHARS - 100) return text.slice(start, stop)
  const spare = Math.max(200, Math.floor((PIECE_CHARS - (to - from)) / 2))
  const begin = betweenCharacters(text, Math.max(start, from - spare))
  const end = betweenCharacters(text, Math.min(stop, begin + PIECE_CHARS))
  const before = begin > start ? `[… ${begin - start} characters cut …]` : ''
  const after = end < stop ? `[… ${stop - end} characters cut …]` : ''
  return `${before}${text.slice(begin, end)}${after}`
}

/** @returns the text, cut at a line within the bound and marked if it was longer */
export function withinBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  const mark = '\n(cut)'
  let end = Math.min(text.length, maxBytes)
  while (Buffer.byteLength(text.slice(0, end)) > maxBytes - mark.length) end = Math.floor(end * 0.95)
  return text.slice(0, betweenCharacters(text, end)) + mark
}

/** @returns the place itself, or the one before it in the middle of a surrogate pair */
function betweenCharacters(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at
}

function lineStartAt(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1
}

function lineEndAt(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function countLines(text: string, before: number): number {
  let line = 1
  for (let next = text.indexOf('\n'); next >= 0 && next < before; next = text.indexOf('\n', next + 1)) line += 1
  return line
}
