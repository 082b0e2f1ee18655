import { setTimeout as wait } from 'node:timers/promises'

/** Waits `ms` milliseconds, or until the signal aborts; never throws: look at the signal afterwards. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}
