import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { execa } from 'execa'

const root = join(import.meta.dirname, '..')

describe('the documentation', () => {
  it('links to files that are there, and names none that is gone', async () => {
    const { stdout } = await execa('git', ['ls-files', '*.md', ':!coordinator/demo/template'], { cwd: root })
    const pages = stdout.split('\n')
    expect(pages.length).toBeGreaterThan(15)
    const broken = await Promise.all(pages.map(brokenLinksOf))
    expect(broken.flat()).toEqual([])
  })

  it('would notice a broken link', () => {
    expect(pathsIn('see [x](../gone.ts#part) and `runner/gone.ts`, not https://example.org or `a.b`')).toEqual([
      '../gone.ts',
      '/runner/gone.ts',
    ])
  })
})

async function brokenLinksOf(page: string): Promise<string[]> {
  const text = await readFile(join(root, page), 'utf8')
  return pathsIn(text)
    .filter((path) => !existsSync(path.startsWith('/') ? join(root, path) : join(root, dirname(page), path)))
    .map((path) => `${page}: ${path}`)
}

/** @returns the files that a page names: links as they are written, and paths of sources in code with a slash before them */
function pathsIn(text: string): string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path ?? '')
  const named = [
    ...text.matchAll(/`((?:app|bin|cli|client|contract|coordinator|runner|setup|test|worker-image)\/[\w./-]+\.\w+)`/g),
  ]
  return [...links, ...named.map(([, path]) => `/${path}`)]
}
