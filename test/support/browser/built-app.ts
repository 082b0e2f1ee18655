import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const APP_INDEX =
  '<!doctype html><title>Errand</title><link rel="icon" href="/static/icon.svg"><script type="module" src="/assets/app-1a2b3c.js"></script><h1>app</h1>'

export const APP_SCRIPT = `document.querySelector('h1').textContent = 'The app';${'//'.padEnd(4_000, 'x')}`

/** What Vite leaves, in small. @returns the folder */
export async function buildSmallApp(folder: string): Promise<string> {
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'index.html'), APP_INDEX)
  await writeFile(join(folder, 'sw.js'), 'self.skipWaiting()')
  await writeFile(join(folder, 'manifest.webmanifest'), '{"name":"Errand"}')
  await writeFile(join(folder, 'assets', 'app-1a2b3c.js'), APP_SCRIPT)
  await writeFile(join(folder, '.built-from'), 'a hash')
  return folder
}
