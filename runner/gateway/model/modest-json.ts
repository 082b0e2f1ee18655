/** Values of one body, and how deep they may nest: far more than any conversation has. */
const MAX_VALUES = 200_000
const MAX_DEPTH = 200

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPENING = [0x7b, 0x5b]
const CLOSING = [0x7d, 0x5d]

/**
 * True when parsing the text takes no more memory than its length lets one expect. A body of 32 MB that is all `{},{},…` would come to
 * gigabytes of objects, and hold up every other attempt on this runner for as long as it is looked at.
 */
export function isModestJson(json: Buffer): boolean {
  let values = 0
  let depth = 0
  let quoted = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (quoted) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (byte === COMMA) values++
    else if (OPENING.includes(byte)) {
      values++
      depth++
    } else if (CLOSING.includes(byte)) depth--
    if (values > MAX_VALUES || depth > MAX_DEPTH) return false
  }
  return true
}
