import { useMutation } from '@tanstack/react-query'
import { type MouseEvent, memo, type ReactNode, useCallback, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { Button } from '../../design/controls/button.tsx'
import { Fault } from '../../design/feedback/states.tsx'
import type { Feed } from '../model/feed.ts'
import type { Item } from '../model/feed-items.ts'
import { callKey, foldableTurns, openFailureOf, type Row, rowsOf, shownFailures } from '../model/feed-rows.ts'
import { TASK_WORDS } from '../text/words.ts'
import { FeedRow, type RowTask } from './feed-row.tsx'
import { type Choices, ChoicesContext } from './rows/choices.tsx'
import { TurnFold } from './rows/small-rows.tsx'
import { usePinned } from './use-pinned.ts'
import { useWindow } from './use-window.ts'
import './feed.css'

const WORDS = TASK_WORDS.feed

type Props = {
  feed: Feed
  /** Whether the feed is up to date with the server; before that it may be an old part of it. */
  settled: boolean
  /** The `seq` of the earliest loaded event. */
  firstSeq: number
  earlier: { has: boolean; loading: boolean; load: () => Promise<void> }
  task: RowTask
  ahead: number | null
  onRetry: () => void
  /** Where the button to the latest goes: above the footer, whatever its height. */
  jumpPlace: HTMLElement | null
  /** What stands below the last event: the text being written and the waiting messages. */
  children: ReactNode
}

/** The whole conversation of a task; the page itself scrolls. */
export function FeedView({ feed, settled, firstSeq, earlier, task, ahead, onRetry, jumpPlace, children }: Props) {
  const content = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const choices = useRef<Choices>(new Map())
  const { atEnd, toEnd, hold } = usePinned(content)
  const { rows, toggleTurn } = useRows(feed, settled)
  const { start, showEarlier, keep } = useWindow(list, rows.length, firstSeq, atEnd)
  const fresh = useFresh(feed.items, atEnd)
  const shown = useMemo(() => rows.slice(start), [rows, start])
  const failures = useRef<ReadonlySet<string>>(new Set())
  failures.current = shownFailures(failures.current, openFailureOf(feed.items), atEnd)
  const loading = useMutation({ mutationFn: earlier.load })
  const more = () => {
    if (start > 0) return showEarlier()
    keep()
    loading.mutate()
  }
  const holdOnToggle = (event: MouseEvent) => {
    if ((event.target as Element).closest('[aria-expanded]')) hold()
  }
  return (
    <ChoicesContext value={choices.current}>
      {(start > 0 || earlier.has) && (
        <div className="earlier">
          <Button look="quiet" busy={earlier.loading} onClick={more}>
            {earlier.loading ? WORDS.loadingEarlier : WORDS.earlier}
          </Button>
          {loading.isError && <Fault error={loading.error} />}
        </div>
      )}
      <div ref={content} className="feed" role="log" aria-live="off" aria-label={WORDS.label} onClickCapture={holdOnToggle}>
        <div ref={list} className="feed-rows">
          <Rows rows={shown} task={task} ahead={ahead} failures={failures.current} onRetry={onRetry} onToggleTurn={toggleTurn} />
        </div>
        {children}
      </div>
      {!atEnd &&
        jumpPlace &&
        createPortal(
          <Button icon="down" onClick={toEnd}>
            {WORDS.jump(fresh)}
          </Button>,
          jumpPlace,
        )}
    </ChoicesContext>
  )
}

type RowsProps = {
  rows: readonly Row[]
  /** The failed calls that open by themselves. */
  failures: ReadonlySet<string>
  onToggleTurn: (turn: number) => void
} & Pick<Props, 'task' | 'ahead' | 'onRetry'>

const Rows = memo(({ rows, task, ahead, failures, onRetry, onToggleTurn }: RowsProps) =>
  rows.map((row, index) =>
    row.kind === 'fold' ? (
      <TurnFold key={row.key} row={row} onToggle={onToggleTurn} />
    ) : (
      <FeedRow
        key={row.key}
        item={row.item}
        task={task}
        ahead={row.item.kind === 'boot' ? ahead : null}
        shownFailure={failureIn(row.item, failures)}
        onRetry={index === rows.length - 1 ? onRetry : undefined}
      />
    ),
  ),
)

function failureIn(item: Item, failures: ReadonlySet<string>): string | null {
  if (item.kind !== 'work' || failures.size === 0) return null
  return item.calls.map(callKey).findLast((key) => failures.has(key)) ?? null
}

/** Turns that had ended when the screen opened are folded; a turn that ends while the user watches stays open. */
function useRows(feed: Feed, settled: boolean): { rows: Row[]; toggleTurn: (turn: number) => void } {
  const openedAt = useRef(Number.POSITIVE_INFINITY)
  if (settled) openedAt.current = Math.min(openedAt.current, feed.lastSeq)
  const lastSeq = openedAt.current
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const rows = useMemo(() => rowsOf(feed.items, foldableTurns(feed.items, lastSeq), open), [feed.items, lastSeq, open])
  const toggleTurn = useCallback((turn: number) => setOpen((turns) => toggled(turns, turn)), [])
  return { rows, toggleTurn }
}

function toggled(turns: ReadonlySet<number>, turn: number): ReadonlySet<number> {
  const next = new Set(turns)
  if (!next.delete(turn)) next.add(turn)
  return next
}

/** @returns how many items arrived since the user left the end */
function useFresh(items: Feed['items'], atEnd: boolean): number {
  const lastSeen = useRef(items.at(-1)?.key)
  if (atEnd) lastSeen.current = items.at(-1)?.key
  const at = items.findLastIndex(({ key }) => key === lastSeen.current)
  return at < 0 ? 0 : items.length - 1 - at
}
