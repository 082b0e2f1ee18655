import { memo, useMemo } from 'react'
import { type Language, languageOfFile, type Piece } from '../code/code.ts'
import { CodePieces } from '../code/code-pieces.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { type PatchRow, patchLines } from './patch-lines.ts'
import { useRowPieces } from './use-row-pieces.ts'

const SIGNS = { add: '+', del: '−', same: ' ', hunk: '', note: '' } as const

type Props = { patch: string; path: string; wrap: boolean; current: number | null }

/** A file's diff in one column, with the line numbers of both sides. `current` is the hunk that the user has stepped to. */
export const Patch = memo(({ patch, path, wrap, current }: Props) => {
  const hunks = useMemo(() => hunksOf(patchLines(patch)), [patch])
  const language = languageOfFile(path)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={wrap ? 'patch wrapped' : 'patch'} tabIndex={0} aria-label={path}>
      <div className="patch-rows">
        {hunks.map((rows, index) => (
          <Hunk key={index} rows={rows} language={language} isCurrent={index === current} />
        ))}
      </div>
    </section>
  )
})

type HunkProps = { rows: readonly PatchRow[]; language: Language | null; isCurrent: boolean }

const Hunk = memo(({ rows, language, isCurrent }: HunkProps) => {
  const colours = useRowPieces(rows, language)
  return (
    <div className="hunk" {...(isCurrent && { 'aria-current': true })}>
      {rows.map((row, index) => (
        <Row key={index} row={row} pieces={colours?.get(row)} />
      ))}
    </div>
  )
})

function Row({ row, pieces }: { row: PatchRow; pieces: readonly Piece[] | undefined }) {
  return row.kind === 'hunk' ? (
    <div className="patch-hunk">
      {TASK_WORDS.changes.line(row.after || row.before)} <span className="mono">{row.text}</span>
    </div>
  ) : (
    <div className={`patch-row ${row.kind}`}>
      <span className="patch-number numbers">{'before' in row ? row.before : ''}</span>
      <span className="patch-number numbers">{'after' in row ? row.after : ''}</span>
      <span className="patch-sign">{SIGNS[row.kind]}</span>
      <span className="patch-text">{pieces ? <CodePieces pieces={pieces} /> : row.text || ' '}</span>
    </div>
  )
}

function hunksOf(rows: readonly PatchRow[]): PatchRow[][] {
  const hunks: PatchRow[][] = []
  for (const row of rows) {
    if (row.kind === 'hunk') hunks.push([])
    hunks.at(-1)?.push(row)
  }
  return hunks
}
