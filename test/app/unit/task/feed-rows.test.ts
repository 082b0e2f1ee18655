import { describe, expect, it } from '@jest/globals'
import type { Item } from '../../../../app/src/task/model/feed-items.ts'
import { foldableTurns, type Row, rowsOf } from '../../../../app/src/task/model/feed-rows.ts'

function item(kind: Item['kind'], turn: number, more: object = {}): Item {
  return { kind, turn, key: `${kind}-${turn}-${JSON.stringify(more)}`, ...more } as Item
}
function turnOf(turn: number, status: 'completed' | 'failed' | null = 'completed'): Item[] {
  return [
    item('message', turn, { mode: null, state: 'delivered' }),
    item('boot', turn),
    item('text', turn, { text: 'I look.', answer: false }),
    item('work', turn, { calls: [1, 2, 3] }),
    item('message', turn, { mode: 'steer', state: 'delivered' }),
    item('work', turn, { calls: [4] }),
    item('text', turn, { text: 'Done.', answer: true }),
    item('pushed', turn),
    ...(status ? [item('end', turn, { status, durationMs: 61_000, seq: turn * 100 })] : []),
  ]
}
function kinds(rows: readonly Row[]) {
  return rows.map((row) => (row.kind === 'item' ? row.item.kind : `fold of ${row.steps}`))
}
const NONE: ReadonlySet<number> = new Set()

describe('the rows of a feed', () => {
  it('fold the work of a turn that went well into one line, and leave what was said and how it ended', () => {
    const items = turnOf(1)
    const rows = rowsOf(items, foldableTurns(items, 300), NONE)
    expect(kinds(rows)).toEqual(['message', 'fold of 4', 'message', 'text', 'pushed', 'end'])
    expect(rows[1]).toMatchObject({ key: 'fold-1', open: false, durationMs: 61_000 })
  })

  it('open to all of it, in its place', () => {
    const items = turnOf(1)
    const rows = rowsOf(items, foldableTurns(items, 300), new Set([1]))
    expect(rows.flatMap((row) => (row.kind === 'item' ? [row.item] : []))).toEqual(items)
    expect(rows[1]).toMatchObject({ kind: 'fold', open: true })
  })

  it('do not fold a turn that failed, nor the one under way', () => {
    const items = [...turnOf(1), ...turnOf(2, 'failed'), ...turnOf(3, null)]
    expect([...foldableTurns(items, 300)]).toEqual([1])
    const rows = rowsOf(items, foldableTurns(items, 300), NONE)
    expect(rows.filter(({ kind }) => kind === 'fold')).toHaveLength(1)
    expect(rows.flatMap((row) => (row.kind === 'item' && row.item.turn > 1 ? [row.item] : []))).toEqual(items.slice(9))
  })

  it('do not fold a turn that ended later than the feed was opened', () => {
    const items = [...turnOf(1), ...turnOf(2)]
    expect([...foldableTurns(items, 199)]).toEqual([1])
    expect([...foldableTurns(items, 200)]).toEqual([1, 2])
  })

  it('have a key each, and the same one while the feed grows', () => {
    const items = [...turnOf(1), ...turnOf(2), ...turnOf(3, null)]
    const foldable = new Set([1, 2])
    const keys = rowsOf(items, foldable, NONE).map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    for (let at = 0; at <= items.length; at++) {
      const sofar = rowsOf(items.slice(0, at), foldable, NONE)
      expect(sofar.map(({ key }) => key)).toEqual(keys.slice(0, sofar.length))
    }
  })
})
