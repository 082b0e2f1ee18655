import { request } from 'node:http'
import { ORPHANED_MS, RENEW_EVERY_MS } from '../../contract/wire/deadlines.ts'

type Options = { socketPath: string; onGone: () => void; everyMs?: number; misses?: number }

/**
 * Asks the runner's gateway now and then whether it is there, and calls `onGone` once it has not answered for {@link ORPHANED_MS}. It counts
 * questions and not time, which goes on while a machine sleeps. Any answer will do: a stopped process takes connections, but answers nothing.
 */
export function watchRunner({ socketPath, onGone, everyMs = RENEW_EVERY_MS, misses = ORPHANED_MS / everyMs }: Options): void {
  let missed = 0
  const look = async () => {
    const askedAt = performance.now()
    missed = (await answers(socketPath, everyMs)) ? 0 : missed + 1
    if (missed >= misses) return onGone()
    again(Math.max(0, everyMs - (performance.now() - askedAt)))
  }
  const again = (ms: number) => void setTimeout(look, ms).unref()
  again(everyMs)
}

function answers(socketPath: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request({ socketPath, path: '/', timeout: timeoutMs, agent: false }, (response) => {
      response.resume()
      resolve(true)
    })
    asking.on('error', () => resolve(false))
    asking.on('timeout', () => asking.destroy(new Error('silent')))
    asking.end()
  })
}
