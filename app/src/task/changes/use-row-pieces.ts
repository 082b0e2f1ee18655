import { useMemo } from 'react'
import { byLine, type Language, type Piece } from '../code/code.ts'
import { usePieces } from '../code/code-pieces.tsx'
import type { PatchRow } from './patch-lines.ts'

/** The colours of a hunk's rows. The old and the new file are highlighted separately, since both together are no program. Null until loaded. */
export function useRowPieces(
  rows: readonly PatchRow[],
  language: Language | null,
): ReadonlyMap<PatchRow, readonly Piece[]> | null {
  const before = useMemo(() => rows.filter(({ kind }) => kind === 'same' || kind === 'del'), [rows])
  const after = useMemo(() => rows.filter(({ kind }) => kind === 'same' || kind === 'add'), [rows])
  const old = usePieces(textOf(before), language)
  const fresh = usePieces(textOf(after), language)
  return useMemo(
    () => (old && fresh ? new Map([...linesOf(before, old), ...linesOf(after, fresh)]) : null),
    [old, fresh, before, after],
  )
}

function textOf(rows: readonly PatchRow[]): string {
  return rows.map(({ text }) => text).join('\n')
}

function linesOf(rows: readonly PatchRow[], pieces: readonly Piece[]): Array<[PatchRow, readonly Piece[]]> {
  const lines = byLine(pieces)
  return rows.flatMap((row, index): Array<[PatchRow, readonly Piece[]]> => {
    const line = lines[index]
    return line && row.text !== '' ? [[row, line]] : []
  })
}
