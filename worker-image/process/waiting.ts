import { setTimeout as wait } from 'node:timers/promises'

/** Waits `ms` milliseconds, or until the signal aborts; never throws: check the signal afterwards. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

/**
 * A signal that aborts after `ms`, or with `parent`. Dispose of it: with `AbortSignal.any`, every call would leave a listener on a parent
 * that lives as long as the process.
 */
export function deadline(ms: number, parent?: AbortSignal): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, ms)
  parent?.addEventListener('abort', abort)
  if (parent?.aborted) abort()
  return {
    signal: controller.signal,
    dispose: () => {
      clearTimeout(timer)
      parent?.removeEventListener('abort', abort)
    },
  }
}

/** @returns what `work` gives, or `instead` when it takes longer than `ms` after the signal aborted */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, ms: number, instead: T): Promise<T> {
  const done = new AbortController()
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { signal: done.signal })
    if (signal.aborted) resolve()
  })
  try {
    return await Promise.race([work, aborted.then(() => pause(ms, done.signal)).then(() => instead)])
  } finally {
    done.abort()
  }
}
