import { memo } from 'react'
import type { DiffRow } from '../../text/edit-diff.ts'
import { TASK_WORDS } from '../../text/words.ts'

const MARKS = { same: ' ', add: '+', del: '−' } as const

/** A small diff, one line a row, marked by sign as well as by colour. */
export const DiffView = memo(({ rows, label }: { rows: readonly DiffRow[]; label: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <section className="diff" tabIndex={0} aria-label={label}>
    <div className="diff-rows">
      {rows.map((row, index) => (
        <Row key={index} row={row} />
      ))}
    </div>
  </section>
))

function Row({ row }: { row: DiffRow }) {
  return row.kind === 'gap' ? (
    <div className="diff-gap">{TASK_WORDS.work.linesBetween(row.count)}</div>
  ) : (
    <div className={`diff-row ${row.kind}`}>
      <span className="diff-mark">{MARKS[row.kind]}</span>
      <span>{row.text || ' '}</span>
    </div>
  )
}
