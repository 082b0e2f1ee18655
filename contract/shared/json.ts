/** @returns the value; undefined when the text is not JSON, because no JSON text says undefined */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
