/**
 * Finds a key that one object of a JSON text has twice. Readers differ in which of the two they believe, so a text with one could be
 * checked as one thing and obeyed as another.
 * @param json a valid JSON text
 * @returns the first such key, or null
 */
export function findRepeatedKey(json: string): string | null {
  /** The objects and arrays around the current place; arrays have no keys. */
  const around: (Set<string> | null)[] = []
  let keyComes = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '{') {
      around.push(new Set())
      keyComes = true
    } else if (character === '[') around.push(null)
    else if (character === '}' || character === ']') around.pop()
    else if (character === ',') keyComes = around.at(-1) instanceof Set
    else if (character === '"') {
      const end = endOfString(json, at)
      const keys = around.at(-1)
      if (keyComes && keys) {
        const key: string = JSON.parse(json.slice(at, end))
        if (keys.has(key)) return key
        keys.add(key)
      }
      keyComes = false
      at = end - 1
    }
  }
  return null
}

/** @returns the place behind the closing quote */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === '\\') at++
    else if (json[at] === '"') return at + 1
  }
  return json.length
}
