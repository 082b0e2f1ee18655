/** A span that differs from the wanted text in white space alone, and its replacement. */
export type LooseMatch = { start: number; end: number; replacement: string; difference: string }

/**
 * Finds whole lines that differ from `wanted` only in trailing spaces, or only by the same indentation everywhere.
 * @returns the match if there is exactly one; otherwise the model has to decide
 */
export function findLoosely(text: string, wanted: string, replacement: string): LooseMatch | null {
  const lines = text.split('\n')
  const asked = wanted.replace(/\n$/, '').split('\n')
  if (asked.every((line) => line.trim() === '')) return null
  const starts = lines.map((_, index) => index).filter((index) => index + asked.length <= lines.length)
  const spanOf = (first: number) => {
    const start = lines.slice(0, first).reduce((sum, line) => sum + line.length + 1, 0)
    const span = lines.slice(first, first + asked.length).join('\n')
    return { start, end: start + span.length }
  }
  const body = wanted.endsWith('\n') ? replacement.replace(/\n$/, '') : replacement

  const trailing = starts.filter((first) => asked.every((line, i) => lines[first + i]?.trimEnd() === line.trimEnd()))
  if (trailing.length === 1 && trailing[0] !== undefined)
    return { ...spanOf(trailing[0]), replacement: body, difference: 'trailing spaces' }

  const shifted = starts.flatMap((first) => {
    const shift = indentShift(lines.slice(first, first + asked.length), asked)
    return shift === null ? [] : [{ first, shift }]
  })
  const only = shifted[0]
  if (shifted.length !== 1 || !only) return null
  const fitted = body.split('\n').map((line) => only.shift(line))
  return { ...spanOf(only.first), replacement: fitted.join('\n'), difference: 'indentation' }
}

/** @returns a sentence about the places where the file is most like the wanted text: at most three, with line numbers */
export function closest(text: string, wanted: string): string {
  const lines = text.split('\n')
  const asked = wanted.split('\n').map((line) => line.trim())
  const first = asked.find((line) => line !== '')
  if (first === undefined) return 'It contains only white space.'
  const scored = lines.map((_, index) => ({
    index,
    score: asked.reduce((sum, line, offset) => sum + alike(line, lines[index + offset]?.trim() ?? ''), 0) / asked.length,
  }))
  const best = scored
    .filter(({ score }) => score > 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
  if (best.length === 0) return 'Nothing in the file resembles it: read the file again.'
  const spans = best.map(({ index }) => {
    const span = lines.slice(index, index + Math.min(asked.length, 12))
    return span.map((line, offset) => `${String(index + 1 + offset).padStart(6)}\t${line.slice(0, 300)}`).join('\n')
  })
  return `The nearest places are:\n${spans.join('\n  ⋯\n')}`
}

/** @returns the function that turns a line of the wanted text into one of the file, when all lines differ by the same indentation; else null */
function indentShift(found: readonly string[], asked: readonly string[]): ((line: string) => string) | null {
  let shift: { add: string; remove: string } | null = null
  for (const [index, line] of asked.entries()) {
    const there = found[index] ?? ''
    if (there.trim() !== line.trim()) return null
    if (line.trim() === '') continue
    const [a, b] = [indentOf(there), indentOf(line)]
    const now = a.endsWith(b)
      ? { add: a.slice(0, a.length - b.length), remove: '' }
      : { add: '', remove: b.slice(0, b.length - a.length) }
    if (!a.endsWith(b) && !b.endsWith(a)) return null
    if (shift && (shift.add !== now.add || shift.remove !== now.remove)) return null
    shift = now
  }
  if (!shift) return null
  const { add, remove } = shift
  return (line) => (line.trim() === '' ? line : add + (line.startsWith(remove) ? line.slice(remove.length) : line))
}

function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length)
}

/** 1 for equal lines, otherwise the share of words that they have in common. */
function alike(a: string, b: string): number {
  if (a === b) return 1
  const [left, right] = [new Set(a.split(/\W+/).filter(Boolean)), new Set(b.split(/\W+/).filter(Boolean))]
  const shared = [...left].filter((word) => right.has(word)).length
  return shared / Math.max(1, left.size, right.size)
}
