/**
 * The first SIGINT, SIGTERM or SIGHUP asks for an orderly stop; a second one ends the waiting.
 * Held from the beginning: a start that is still under way stops at its next step.
 * A reader of our output that goes away (`npm start | head -1`, a pager, a connection that is cut) asks for it as well, as a terminal
 * that is closed does by SIGHUP: nobody would see, or could end, what went on.
 */
export function stopSignals(): { stop: AbortSignal; force: AbortSignal; stopped: Promise<void> } {
  const stop = new AbortController()
  const force = new AbortController()
  const heard = () => {
    if (!stop.signal.aborted) return stop.abort()
    console.log('Stopping at once.')
    force.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (READER_GONE.has(error.code ?? '')) stop.abort()
  })
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  return { stop: stop.signal, force: force.signal, stopped }
}

/** What a write to a pipe and to a terminal fails with then. Others, like a full disk below a log, leave the server as it is. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO'])
