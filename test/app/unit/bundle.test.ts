import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { buildApp } from '../../../setup/build/app.ts'
import { gzipBytes, precachedFiles, startFiles } from '../../support/browser/bundle.ts'

beforeAll(() => buildApp(join(import.meta.dirname, '../../..')))

describe('what a phone loads', () => {
  it('is at most 110 kB before the first screen, compressed', () => {
    const files = startFiles()
    expect(files).toEqual(
      expect.arrayContaining([expect.stringMatching(/^assets\/index-.*\.js$/), expect.stringMatching(/\.css$/)]),
    )
    expect(files.filter((file) => /answers/.test(file))).toEqual([])
    expect(gzipBytes(files)).toBeLessThanOrEqual(110_000)
  })

  it('is at most 600 kB in the background, with every screen and without the heavy parts', () => {
    const files = precachedFiles()
    const names = files.map(({ file }) => file)
    for (const needed of ['index.html', ...startFiles()]) expect(names).toContain(needed)
    expect(names).toEqual(
      expect.arrayContaining([expect.stringMatching(/task-screen-.*\.js$/), expect.stringMatching(/socket-.*\.js$/)]),
    )
    expect(names.filter((name) => /markdown|highlight|answers/.test(name))).toEqual([])
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(600_000)
  })
})
