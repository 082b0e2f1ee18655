import { memo, useMemo } from 'react'
import { type PatchRow, patchLines } from '../patch-lines.ts'
import { TASK_WORDS } from '../words.ts'

const SIGNS = { add: '+', del: '−', same: ' ', hunk: '', note: '' } as const

/** A file's diff in one column, with the numbers of both sides. */
export const Patch = memo(({ patch, label, wrap }: { patch: string; label: string; wrap: boolean }) => {
  const rows = useMemo(() => patchLines(patch), [patch])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={wrap ? 'patch wrapped' : 'patch'} tabIndex={0} aria-label={label}>
      <div className="patch-rows">
        {rows.map((row, index) => (
          <Row key={index} row={row} />
        ))}
      </div>
    </section>
  )
})

const Row = ({ row }: { row: PatchRow }) =>
  row.kind === 'hunk' ? (
    <div className="patch-hunk">
      {TASK_WORDS.changes.line(row.after)} <span className="mono">{row.text}</span>
    </div>
  ) : (
    <div className={`patch-row ${row.kind}`}>
      <span className="patch-number numbers">{'before' in row ? row.before : ''}</span>
      <span className="patch-number numbers">{'after' in row ? row.after : ''}</span>
      <span className="patch-sign">{SIGNS[row.kind]}</span>
      <span className="patch-text">{row.text || ' '}</span>
    </div>
  )
