import type { Piece } from './pieces.ts'
import './code.css'

/** Highlighted code. It renders only text, whatever the code contains. */
export function CodePieces({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map(({ text, kind }, index) =>
    kind === null ? (
      text
    ) : (
      <span key={index} className={`code-${kind}`}>
        {text}
      </span>
    ),
  )
}
