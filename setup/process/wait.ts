import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Polls until all is well, for as long as the process that is waited for lives.
 * @param lookForFault null when all is well, else what is not
 * @param ended resolves with what to say when that process ended
 * @throws Error with the last fault seen, or with how the process ended
 */
export async function waitUntilWell(
  what: string,
  lookForFault: () => Promise<string | null>,
  timeoutMs: number,
  ended: Promise<string>,
): Promise<void> {
  const decided = new AbortController()
  const ending = ended.then((how) => {
    throw new Error(how)
  })
  try {
    await Promise.race([poll(what, lookForFault, performance.now() + timeoutMs, decided.signal), ending])
  } finally {
    decided.abort()
  }
}

async function poll(what: string, lookForFault: () => Promise<string | null>, deadline: number, decided: AbortSignal) {
  for (;;) {
    const fault = await lookForFault()
    if (fault === null || decided.aborted) return
    if (performance.now() > deadline) throw new Error(`${what} did not come up in time: ${fault}`)
    await sleep(50)
  }
}
