const KEY = 'errand:return'

/** Where to go after the sign-in. Signing in leaves the app, so it is kept outside of its memory. */
export function keepReturn(path: string): void {
  try {
    if (path !== '/') localStorage.setItem(KEY, path)
  } catch {
    // Without a store the sign-in leads to the list of tasks.
  }
}

/** @returns null when there is nowhere in particular to go */
export function takeReturn(): string | null {
  try {
    const path = localStorage.getItem(KEY)
    localStorage.removeItem(KEY)
    return path?.startsWith('/') && !path.startsWith('//') ? path : null
  } catch {
    return null
  }
}
