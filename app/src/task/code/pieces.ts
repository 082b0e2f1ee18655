export type PieceKind = 'keyword' | 'string' | 'number' | 'comment' | 'name'
/** A part of a code's text and its kind; null if it has no colour. */
export type Piece = { text: string; kind: PieceKind | null }

/** @returns the pieces of each line, without line breaks */
export function byLine(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [[]]
  for (const { text, kind } of pieces)
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) lines.push([])
      if (part !== '') lines.at(-1)?.push({ text: part, kind })
    }
  return lines
}
