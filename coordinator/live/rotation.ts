/** Lets in one at a time. Those who wait are let in by key in rotation: a key with many waiting gets no more than any other. */
export type Rotation = {
  /** Resolves when it is the caller's turn, with what must be called once to let the next one in. */
  enter: (key: string) => Promise<() => void>
}

export function createRotation(): Rotation {
  // A map keeps its keys in the order in which they were set: the first is the next.
  const waiting = new Map<string, (() => void)[]>()
  let taken = false
  const goLast = (key: string) => {
    const line = waiting.get(key)
    waiting.delete(key)
    if (line && line.length > 0) waiting.set(key, line)
  }
  const leave = (key: string) => {
    goLast(key)
    const [next] = waiting.values()
    if (next) next.shift()?.()
    else taken = false
  }
  return {
    enter: (key) =>
      new Promise((resolve) => {
        const enter = () => resolve(() => leave(key))
        const line = waiting.get(key)
        if (!taken) enter()
        else if (line) line.push(enter)
        else waiting.set(key, [enter])
        taken = true
      }),
  }
}
