export type Theme = 'system' | 'light' | 'dark'

const KEY = 'errand:theme'
const BARS = { light: '#faf8f3', dark: '#171613' } as const

export function readTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}

/** Stored on this device; without storage it lasts until the app is closed. */
export function setTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // Without storage the theme lasts until the app is closed.
  }
  applyTheme(theme)
}

export function applyTheme(theme: Theme = readTheme()): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light'
    meta.content = BARS[theme === 'system' ? own : theme]
  }
}
