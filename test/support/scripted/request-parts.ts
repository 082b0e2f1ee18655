/** A part of a request, such as a message or a tool. */
type Part = object

/**
 * Each request to a model brings the whole conversation again. A stand-in that computed everything of it anew would take a time that grows
 * with the square of the steps.
 * @returns a function that makes equal parts one object, so that what {@link once} computed of a part stays with it
 */
export function createParts(): <P extends Part>(part: P) => P {
  const parts = new Map<string, Part>()
  return <P extends Part>(part: P): P => {
    const key = JSON.stringify(part)
    const known = parts.get(key)
    if (known === undefined) parts.set(key, part)
    return (known ?? part) as P
  }
}

/** @returns the function, which computes its answer for one and the same part only once */
export function once<P extends Part, T>(compute: (part: P) => T): (part: P) => T {
  const known = new WeakMap<P, { value: T }>()
  return (part) => {
    const found = known.get(part) ?? { value: compute(part) }
    known.set(part, found)
    return found.value
  }
}
