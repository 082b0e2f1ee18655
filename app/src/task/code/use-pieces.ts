import { useEffect, useMemo, useState } from 'react'
import type { Language } from './language.ts'
import type { Piece } from './pieces.ts'

/** Longer code stays plain: colours must not cost what reading does not need. */
const MAX_CHARS = 20_000

type Highlight = (text: string, language: Language) => Piece[]

let loaded: Highlight | null = null

/** @returns a text in coloured pieces; null as long as the part that colours has not come, and for what stays plain */
export function usePieces(text: string, language: Language | null): Piece[] | null {
  const isWanted = language !== null && text.length <= MAX_CHARS
  const highlight = useHighlight(isWanted)
  return useMemo(() => (isWanted && highlight ? highlight(text, language) : null), [isWanted, highlight, text, language])
}

/** Code is readable without it, so that a part that does not come is no fault. */
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
