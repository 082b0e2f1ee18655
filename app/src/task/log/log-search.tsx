import { type KeyboardEvent, type RefObject, useEffect, useState } from 'react'
import { IconButton } from '../../design/controls/button.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { findPlaces } from './find-places.ts'

const WORDS = TASK_WORDS.log

/** Finds a word in the loaded text, marks every place and steps through them. */
export function LogSearch({ text, version }: { text: RefObject<HTMLElement | null>; version: number }) {
  const [wanted, setWanted] = useState('')
  const [found, setFound] = useState<readonly Range[]>([])
  const [at, setAt] = useState(0)
  useEffect(() => {
    if (version >= 0) setFound(text.current ? findText(text.current, wanted) : [])
    setAt(0)
  }, [text, version, wanted])
  useEffect(() => mark(found, at), [found, at])
  const go = (step: number) => found.length > 0 && setAt((at + step + found.length) % found.length)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    go(event.shiftKey ? -1 : 1)
  }
  return (
    <search className="log-search">
      <input
        type="search"
        aria-label={WORDS.search}
        placeholder={WORDS.search}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {wanted !== '' && (
        <>
          <span className="soft small numbers" role="status">
            {WORDS.found(at + 1, found.length)}
          </span>
          {found.length > 0 && <Steps go={go} />}
        </>
      )}
    </search>
  )
}

function Steps({ go }: { go: (step: 1 | -1) => void }) {
  return (
    <>
      <IconButton icon="down" className="up" label={WORDS.previous} onClick={() => go(-1)} />
      <IconButton icon="down" label={WORDS.next} onClick={() => go(1)} />
    </>
  )
}

/** Marks the places without changing the document: the text may be a million characters long. */
function mark(found: readonly Range[], at: number): () => void {
  const current = found[at]
  if (current) bringIntoSight(current)
  if (!('highlights' in CSS)) return () => {}
  CSS.highlights.set('log-found', new Highlight(...found))
  if (current) CSS.highlights.set('log-current', new Highlight(current))
  return () => {
    CSS.highlights.delete('log-found')
    CSS.highlights.delete('log-current')
  }
}

function bringIntoSight(range: Range): void {
  const { top, bottom } = range.getBoundingClientRect()
  if (top < 120 || bottom > innerHeight - 40) scrollBy({ top: top - innerHeight / 2 })
}

/** Finds a word in an element's text, across child elements, ignoring case. At most a thousand places. */
function findText(element: Element, wanted: string): Range[] {
  if (wanted === '') return []
  const nodes: Text[] = []
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) nodes.push(walker.currentNode as Text)
  const places = findPlaces(
    nodes.map(({ data }) => data),
    wanted,
  )
  return places.flatMap(({ start, end }) => {
    const [first, last] = [nodes[start.text], nodes[end.text]]
    if (!first || !last) return []
    const range = document.createRange()
    range.setStart(first, start.at)
    range.setEnd(last, end.at)
    return [range]
  })
}
