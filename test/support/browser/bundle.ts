import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export const APP_DIST = join(import.meta.dirname, '../../../app/dist')

/** @returns the files that the page loads before it shows anything: its scripts with all that they import at once, and its styles */
export function startFiles(): string[] {
  const index = readFileSync(join(APP_DIST, 'index.html'), 'utf8')
  const found = new Set<string>()
  const add = (file: string) => {
    if (found.has(file)) return
    found.add(file)
    if (!file.endsWith('.js')) return
    for (const [, name] of readFileSync(join(APP_DIST, file), 'utf8').matchAll(STATIC_IMPORT)) if (name) add(`assets/${name}`)
  }
  for (const [, file] of index.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)) if (file) add(file)
  return [...found]
}

/** `import './x.js'` and `… from './x.js'`, as the bundler writes them. What is imported by a call comes later. */
const STATIC_IMPORT = /(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g

/** @returns bytes of these files as the server sends them */
export function gzipBytes(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(APP_DIST, file))).length, 0)
}

/** @returns what the service worker keeps from the first visit on, with its bytes */
export function precachedFiles(): Array<{ file: string; bytes: number }> {
  const worker = readFileSync(join(APP_DIST, 'sw.js'), 'utf8')
  return [...worker.matchAll(/\{"?revision"?:(?:"[^"]*"|null),"?url"?:"([^"]+)"\}/g)].map(([, file = '']) => ({
    file,
    bytes: statSync(join(APP_DIST, file)).size,
  }))
}
