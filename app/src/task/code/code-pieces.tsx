import type { Piece } from './pieces.ts'
import './code.css'

/** Code in its colours: text and nothing else, whatever stands in it. */
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
