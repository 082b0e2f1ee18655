const MOST = 1_000

/** The places of a word in an element's text, whatever elements it is spread over, upper and lower case alike; at most a thousand. */
export const findText = (element: Element, wanted: string): Range[] => {
  const needle = wanted.toLowerCase()
  if (needle === '') return []
  const nodes: { node: Text; from: number }[] = []
  let text = ''
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode as Text
    nodes.push({ node, from: text.length })
    text += node.data
  }
  const low = text.toLowerCase()
  // In a few scripts lower case is longer, and places would not match.
  const hay = low.length === text.length ? low : text
  const found: Range[] = []
  let index = 0
  const placeOf = (at: number) => {
    while (index < nodes.length - 1 && (nodes[index + 1]?.from ?? 0) <= at) index++
    return nodes[index]
  }
  for (let at = hay.indexOf(needle); at >= 0 && found.length < MOST; at = hay.indexOf(needle, at + needle.length)) {
    const [start, end] = [placeOf(at), placeOf(at + needle.length - 1)]
    if (!start || !end) break
    const range = document.createRange()
    range.setStart(start.node, at - start.from)
    range.setEnd(end.node, at + needle.length - end.from)
    found.push(range)
  }
  return found
}
