/**
 * The first SIGINT, SIGTERM or SIGHUP asks for an orderly stop; the second one skips the waiting. Signals count from the beginning: a start
 * in progress stops at its next step. If the reader of our output closes (`npm start | head -1`, a pager, a lost connection), that also asks
 * for a stop, as closing a terminal does with SIGHUP: nobody could see or end what continued.
 */
export function stopSignals(): StopSignals {
  const stop = new AbortController()
  const force = new AbortController()
  const heard = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) return stop.abort(signal)
    console.log('Stopping at once.')
    force.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (READER_GONE.has(error.code ?? '')) stop.abort()
  })
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  return { stop: stop.signal, force: force.signal, stopped, isRestart: () => stop.signal.reason === 'SIGTERM' }
}

export type StopSignals = {
  stop: AbortSignal
  force: AbortSignal
  stopped: Promise<void>
  /** Whether a service manager stops us, and not a person: it usually starts us again soon. */
  isRestart: () => boolean
}

/** The write errors of a closed pipe and a closed terminal. Other errors, such as a full disk, do not stop the server. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO'])
