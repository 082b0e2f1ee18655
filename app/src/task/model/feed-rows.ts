import { type Call, hasFailed, type Item, type ItemOf } from './feed-items.ts'

/** A row of the screen: an item, or the folded work of a finished turn. */
export type Row = { kind: 'item'; key: string; item: Item } | FoldRow
export type FoldRow = { kind: 'fold'; key: string; turn: number; steps: number; open: boolean; durationMs: number | null }

/**
 * The rows of a feed. For the turns in `foldable`, everything between the message and the answer is one line, unless the turn is in `open`.
 * Messages and ends always show.
 */
export function rowsOf(items: readonly Item[], foldable: ReadonlySet<number>, open: ReadonlySet<number>): Row[] {
  const rows: Row[] = []
  const folds = new Map<number, FoldRow>()
  for (const item of items) {
    const fold = folds.get(item.turn)
    if (!foldable.has(item.turn) || alwaysShows(item)) {
      if (item.kind === 'end' && fold) fold.durationMs = item.durationMs
      rows.push({ kind: 'item', key: item.key, item })
      continue
    }
    const under = fold ?? beginFold(item.turn, open.has(item.turn))
    if (!fold) {
      folds.set(item.turn, under)
      rows.push(under)
    }
    if (item.kind === 'work') under.steps += item.calls.length
    if (under.open) rows.push({ kind: 'item', key: item.key, item })
  }
  return rows
}

function beginFold(turn: number, open: boolean): FoldRow {
  return {
    kind: 'fold',
    key: `fold-${turn}`,
    turn,
    steps: 0,
    open,
    durationMs: null,
  }
}

/** Turns that completed with event `lastSeq` or earlier. A failed turn stays open, because the user looks into it. */
export function foldableTurns(items: readonly Item[], lastSeq: number): Set<number> {
  const isFoldable = (item: Item): item is ItemOf<'end'> =>
    item.kind === 'end' && item.status === 'completed' && item.seq <= lastSeq
  return new Set(items.filter(isFoldable).map(({ turn }) => turn))
}

function alwaysShows(item: Item): boolean {
  return ['message', 'end', 'pushed', 'pull_request'].includes(item.kind) || (item.kind === 'text' && item.answer)
}

/** Identifies a call in the rows and in the user's choices. */
export function callKey({ attempt, callId }: Pick<Call, 'attempt' | 'callId'>): string {
  return `${attempt}-${callId}`
}

/** @returns the key of the failed call that opens by itself: the last thing the agent did. Null if there is none or the agent went on. */
export function openFailureOf(items: readonly Item[]): string | null {
  const last = items.findLast(({ kind }) => kind === 'work' || kind === 'text' || kind === 'boot')
  const call = last?.kind === 'work' ? last.calls.at(-1) : undefined
  return call && hasFailed(call) ? callKey(call) : null
}

/**
 * The failures that are open by themselves. Nothing folds while the user reads further up, because that would move what they read.
 * @returns the same set if nothing changed
 */
export function shownFailures(before: ReadonlySet<string>, now: string | null, atEnd: boolean): ReadonlySet<string> {
  const next = new Set([...(atEnd ? [] : before), ...(now === null ? [] : [now])])
  return next.size === before.size && [...next].every((key) => before.has(key)) ? before : next
}
