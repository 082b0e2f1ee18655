import { findPlaces } from './find-places.ts'

/** The places of a word in an element's text, whatever elements it is spread over, upper and lower case alike; at most a thousand. */
export function findText(element: Element, wanted: string): Range[] {
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
