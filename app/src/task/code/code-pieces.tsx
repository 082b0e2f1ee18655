import type { Language, Piece } from './code.ts'
import './code.css'
import { useEffect, useMemo, useState } from 'react'

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

/** Longer code stays plain: highlighting it costs too much. */
const MAX_CHARS = 20_000

type Highlight = (text: string, language: Language) => Piece[]

let loaded: Highlight | null = null

/** @returns the text in coloured pieces; null until the highlighter has loaded, and for text that stays plain */
export function usePieces(text: string, language: Language | null): Piece[] | null {
  const isWanted = language !== null && text.length <= MAX_CHARS
  const highlight = useHighlight(isWanted)
  return useMemo(() => (isWanted && highlight ? highlight(text, language) : null), [isWanted, highlight, text, language])
}

/** Code is readable without colours, so a highlighter that fails to load is no error. */
function useHighlight(isWanted: boolean): Highlight | null {
  const [highlight, setHighlight] = useState<Highlight | null>(() => loaded)
  useEffect(() => {
    if (!isWanted || highlight) return
    let gone = false
    import('./highlight.ts').then(
      (part) => {
        loaded = part.highlight
        if (!gone) setHighlight(() => part.highlight)
      },
      () => {},
    )
    return () => {
      gone = true
    }
  }, [isWanted, highlight])
  return highlight
}
