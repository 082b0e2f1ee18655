import { fieldsOf } from '../model/feed-facts.ts'

/** One row of a small diff. `gap`: lines that are left out, `count` of them. */
export type DiffRow = { kind: 'same' | 'add' | 'del'; text: string } | { kind: 'gap'; count: number }
export type EditDiff = { rows: DiffRow[]; added: number; removed: number }

/** Unchanged lines shown around a changed one. */
const AROUND = 2
/** The largest comparison table, in cells; beyond it, the two texts are shown one after the other. */
const MAX_CELLS = 400_000

/** The change that a call of `edit` or `write` makes, according to its input; null for any other call. */
export function editDiff(name: string, input: unknown): EditDiff | null {
  const { old_string, new_string, content } = fieldsOf(input)
  if (name === 'write' && typeof content === 'string') return summed(linesOf(content).map((text) => ({ kind: 'add', text })))
  if (name !== 'edit' || typeof old_string !== 'string' || typeof new_string !== 'string') return null
  return summed(compare(linesOf(old_string), linesOf(new_string)))
}

/** Line by line, by the longest common subsequence. */
export function compare(before: readonly string[], after: readonly string[]): DiffRow[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const same = (lines: readonly string[]): DiffRow[] => lines.map((text) => ({ kind: 'same', text }))
  return [
    ...same(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ]
}

function middle(before: readonly string[], after: readonly string[]): DiffRow[] {
  if (before.length * after.length > MAX_CELLS) return [...all('del', before), ...all('add', after)]
  const lengths = commonLengths(before, after)
  const rows: DiffRow[] = []
  let i = 0
  let j = 0
  while (i < before.length && j < after.length) {
    const [left, right] = [before[i] ?? '', after[j] ?? '']
    if (left === right) {
      rows.push({ kind: 'same', text: left })
      i++
      j++
    } else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) {
      rows.push({ kind: 'del', text: left })
      i++
    } else {
      rows.push({ kind: 'add', text: right })
      j++
    }
  }
  return [...rows, ...all('del', before.slice(i)), ...all('add', after.slice(j))]
}

/** `[i][j]`: how many lines `before` from i and `after` from j have in common at most. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const row = table[i] as Uint32Array
      const below = table[i + 1] as Uint32Array
      row[j] = before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  return table
}

function all(kind: 'add' | 'del', lines: readonly string[]): DiffRow[] {
  return lines.map((text) => ({ kind, text }))
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function summed(rows: DiffRow[]): EditDiff {
  return {
    rows: withoutFar(rows),
    added: rows.filter(({ kind }) => kind === 'add').length,
    removed: rows.filter(({ kind }) => kind === 'del').length,
  }
}

/** Leaves out what is further than {@link AROUND} lines from a change. */
function withoutFar(rows: DiffRow[]): DiffRow[] {
  const near = new Set<number>()
  for (const [index, { kind }] of rows.entries())
    if (kind !== 'same') for (let at = index - AROUND; at <= index + AROUND; at++) near.add(at)
  const shown: DiffRow[] = []
  for (const [index, row] of rows.entries()) {
    const last = shown.at(-1)
    if (near.has(index)) shown.push(row)
    else if (last?.kind === 'gap') last.count++
    else shown.push({ kind: 'gap', count: 1 })
  }
  return shown
}
