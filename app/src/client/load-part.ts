import { inTime } from './storage/storage.ts'

/** A slow network brings a part within two of these. A connection that died unnoticed never does. */
const PATIENCE_MS = 15_000
const ASK_AGAIN_MS = 3_000

/**
 * Loads a part of the app; while the network is down it tries again until the part arrives. If the server answers and the part still does
 * not load, the page reloads, once for each part: the server may have another version by now, and some browsers never ask again for a part
 * that failed once (https://github.com/whatwg/html/issues/6768).
 * @param name what the part is remembered by
 * @throws the error of the import if a reload did not help
 */
export async function loadPart<T>(name: string, load: () => Promise<T>): Promise<T> {
  for (let isSecondTry = false; ; ) {
    try {
      const part = await inTime(load(), PATIENCE_MS, 'a part of the app does not load')
      forgetReload(name)
      return part
    } catch (error) {
      if (!(await isServerThere())) await new Promise((again) => setTimeout(again, ASK_AGAIN_MS))
      else if (!isSecondTry) isSecondTry = true
      else if (reloadsFor(name)) return new Promise(() => {})
      else throw error
    }
  }
}

/**
 * Asks for what has no rate limit: a part that never loads may be asked for every second. A proxy may answer while the server is down, and
 * a reload would then show the proxy's page.
 */
function isServerThere(): Promise<boolean> {
  return fetch('/healthz', { signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

let reloading = false

/** Reloads the page. @returns false if it was reloaded for this part already, or if the browser cannot remember that */
function reloadsFor(name: string): boolean {
  try {
    if (reloading || sessionStorage.getItem(keyOf(name)) !== null) return reloading
    sessionStorage.setItem(keyOf(name), '')
  } catch {
    return false
  }
  reloading = true
  location.reload()
  return true
}

function forgetReload(name: string): void {
  try {
    sessionStorage.removeItem(keyOf(name))
  } catch {
    // Without storage, the page was not reloaded either.
  }
}

function keyOf(name: string): string {
  return `errand:reloaded:${name}`
}
