/** Values of one body, and how deep they may nest: far more than any conversation has. */
const MAX_VALUES = 200_000
const MAX_DEPTH = 200
/** Keys of one object. Parsing an object takes the more time for each key, the more it has: 190,000 keys block the runner for seconds. */
const MAX_KEYS = 2_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPENING_BRACE = 0x7b
const OPENING_BRACKET = 0x5b
const CLOSING_BRACE = 0x7d
const CLOSING_BRACKET = 0x5d

/**
 * True when parsing the text takes no more memory and time than its length suggests. A body of 32 MB that is all `{},{},…` would become gigabytes of
 * objects, and block every other attempt on this runner while it is checked.
 */
export function isModestJson(json: Buffer): boolean {
  let values = 0
  /** Of each object around the current place, how many keys it has beyond the first; arrays have none. */
  const keys: number[] = []
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) at = endOfText(json, at) - 1
    else if (byte === COMMA) {
      values++
      const last = keys.length - 1
      const count = (keys[last] ?? 0) + 1
      keys[last] = count
      if (count >= MAX_KEYS) return false
    } else if (byte === OPENING_BRACE) {
      values++
      keys.push(0)
    } else if (byte === OPENING_BRACKET) {
      values++
      keys.push(Number.NEGATIVE_INFINITY)
    } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) keys.pop()
    if (values > MAX_VALUES || keys.length > MAX_DEPTH) return false
  }
  return true
}

/**
 * Finds a key that occurs twice in one object of a JSON text. Parsers differ in which of the two they keep, so such a text could pass the
 * check as one thing and act as another.
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

/** @returns the place behind the closing quote. Nearly all of a body is text, which `indexOf` passes over many times faster than a loop does. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at - 1
    while (json[before] === '\\') before--
    if ((at - before) % 2 === 1) return at + 1
  }
  return json.length
}

/** The same in bytes. */
function endOfText(json: Buffer, start: number): number {
  for (let at = json.indexOf(QUOTE, start + 1); at >= 0; at = json.indexOf(QUOTE, at + 1)) {
    let before = at - 1
    while (json[before] === BACKSLASH) before--
    if ((at - before) % 2 === 1) return at + 1
  }
  return json.length
}
