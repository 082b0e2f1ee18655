import { inTime } from './storage/storage.ts'

/** A slow network brings a part within two of these. A connection that died unnoticed never does. */
const PATIENCE_MS = 15_000
const ASK_AGAIN_MS = 3_000
/** If a part still does not load this soon after a reload, another reload does not help either. */
const RELOADED_LATELY_MS = 60_000
const RELOADED_KEY = 'errand:reloaded'

/**
 * Loads a part of the app; while the network is down it tries again until the part arrives. If the server answers and the part still does
 * not load, the page reloads: the server may have another version by now, and some browsers never ask again for a part that failed once
 * (https://github.com/whatwg/html/issues/6768).
 * @throws the error of the import if a reload did not help
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  for (let isSecondTry = false; ; ) {
    try {
      return await inTime(load(), PATIENCE_MS, 'a part of the app does not load')
    } catch (error) {
      if (!(await isServerThere())) await new Promise((again) => setTimeout(again, ASK_AGAIN_MS))
      else if (!isSecondTry) isSecondTry = true
      else if (reloads()) return new Promise(() => {})
      else throw error
    }
  }
}

function isServerThere(): Promise<boolean> {
  return fetch('/auth/ways', { signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    () => true,
    () => false,
  )
}

let reloading = false

/** Reloads the page. @returns false if it was reloaded lately, or if the browser cannot remember that */
function reloads(): boolean {
  try {
    const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0)
    if (reloading || Date.now() - last < RELOADED_LATELY_MS) return reloading
    sessionStorage.setItem(RELOADED_KEY, String(Date.now()))
  } catch {
    return false
  }
  reloading = true
  location.reload()
  return true
}
