import { inspect } from 'node:util'

/**
 * Polls until `look` returns something truthy.
 * @param everyMs how often; a server that counts calls wants it slower
 * @throws Error that shows the last thing seen, after `timeoutMs`
 */
export async function waitFor<T>(what: string, look: () => T | Promise<T>, timeoutMs = 60_000, everyMs = 20): Promise<Truthy<T>> {
  const deadline = performance.now() + timeoutMs
  let seen: unknown
  for (;;) {
    try {
      seen = await look()
      if (seen) return seen as Truthy<T>
    } catch (error) {
      seen = error
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${inspect(seen, { depth: 4 })}`)
    await tick(everyMs)
  }
}

type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>

function tick(ms: number) {
  return new Promise<void>((done) => setTimeout(done, ms))
}
