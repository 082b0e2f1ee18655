/**
 * The first SIGINT, SIGTERM or SIGHUP asks for an orderly stop; a second one ends the waiting.
 * Held from the beginning: a start that is still under way stops at its next step.
 */
export const stopSignals = (): { stop: AbortSignal; force: AbortSignal; stopped: Promise<void> } => {
  const stop = new AbortController()
  const force = new AbortController()
  const heard = () => {
    if (!stop.signal.aborted) return stop.abort()
    console.log('Stopping at once.')
    force.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  return { stop: stop.signal, force: force.signal, stopped }
}
