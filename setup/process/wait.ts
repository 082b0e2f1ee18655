import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Polls until a process is ready, as long as it lives.
 * @param lookForFault null if it is ready, otherwise the fault
 * @param ended resolves with a message if the process ends
 * @throws Error with the last fault, or with how the process ended
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
    if (performance.now() > deadline) throw new Error(`${what} did not start in time: ${fault}`)
    await sleep(50)
  }
}
