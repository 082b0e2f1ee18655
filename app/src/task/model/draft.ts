import type { Feed } from './feed.ts'
import { type Item, type ItemOf, NO_USAGE } from './feed-items.ts'

/** A feed while events are applied to it. */
export type Draft = Omit<Feed, 'items'> & { items: Item[] }

export function beginTurn(draft: Draft, turn: number): void {
  if (turn <= draft.turn) {
    if (draft.activity === 'ended') Object.assign(draft, { activity: 'waiting', turnStartedAt: draft.lastAt, verdict: null })
    return
  }
  Object.assign(draft, { turn, activity: 'waiting', turnStartedAt: draft.lastAt, turnUsage: NO_USAGE, plan: [], verdict: null })
}

/** Changes the newest item of a kind. */
export function changeLast<K extends Item['kind']>(draft: Draft, kind: K, change: (item: ItemOf<K>) => ItemOf<K>): void {
  const index = draft.items.findLastIndex((item) => item.kind === kind)
  const item = draft.items[index]
  if (item) draft.items[index] = change(item as ItemOf<K>)
}
