import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { parsePatch } from '../../../coordinator/tasks/changes.ts'
import { git } from '../../support/outside/git-server.ts'
import { folderForEach } from '../../support/systems/closing.ts'

/** Real patches, from git itself. */
const folder = folderForEach()

function at(name: string) {
  return join(folder.path, name)
}
async function patchOf(before: Record<string, string | Buffer>, change: () => Promise<unknown>) {
  await git(folder.path, 'init', '-q')
  for (const [name, content] of Object.entries(before)) await writeFile(at(name), content)
  await git(folder.path, 'add', '-A')
  await git(folder.path, 'commit', '-qm', 'before', '--allow-empty')
  await change()
  await git(folder.path, 'add', '-A')
  return parsePatch(`${(await git(folder.path, 'diff', '--cached', '-M')).stdout}\n`)
}

describe('a patch', () => {
  it('is told file by file, with counts, whatever stands in its lines', async () => {
    const { files, truncated } = await patchOf(
      { 'a.txt': 'one\n-- two\nthree\n', 'old.txt': 'x\ny\nz\n', 'gone.txt': 'a\nb\n', 'mode.sh': 'x\n' },
      async () => {
        await writeFile(at('a.txt'), 'one\n++ b/evil\ndiff --git a/x b/x\nthree')
        await rename(at('old.txt'), at('new name.txt'))
        await rm(at('gone.txt'))
        await writeFile(at('ä "q"\t.txt'), 'n\n')
        await execa('chmod', ['755', at('mode.sh')])
      },
    )
    const told = files.map(({ path, oldPath, kind, insertions, deletions }) => [path, oldPath, kind, insertions, deletions])
    expect(told).toEqual(
      expect.arrayContaining([
        ['a.txt', null, 'modified', 3, 2],
        ['new name.txt', 'old.txt', 'renamed', 0, 0],
        ['gone.txt', null, 'deleted', 0, 2],
        ['ä "q"\t.txt', null, 'added', 1, 0],
        ['mode.sh', null, 'modified', 0, 0],
      ]),
    )
    expect([told.length, truncated]).toEqual([5, false])
    expect(files.find(({ path }) => path === 'a.txt')?.patch).toContain('+diff --git a/x b/x')
  })

  it('names what is binary or huge, and does not show it', async () => {
    const { files } = await patchOf({ 'b.bin': Buffer.from([0, 1, 2]) }, async () => {
      await writeFile(at('b.bin'), Buffer.from([0, 1, 3]))
      await writeFile(at('long.txt'), 'line\n'.repeat(3_000))
      await writeFile(at('wide.txt'), 'x'.repeat(300_000))
    })
    expect(files).toMatchObject([
      { path: 'b.bin', binary: true, huge: false, patch: null },
      { path: 'long.txt', binary: false, huge: true, insertions: 3_000, patch: null },
      { path: 'wide.txt', huge: true, insertions: 1, patch: null },
    ])
    expect(await readFile(at('wide.txt'), 'utf8')).toHaveLength(300_000)
  })

  it('is read up to a bound, and says so: of files, and of lines', () => {
    const title = (n: number) => `diff --git a/${n} b/${n}\n`
    const many = parsePatch(Array.from({ length: 30_000 }, (_, n) => title(n)).join(''))
    expect([many.files.length, many.files.at(-1)?.path, many.truncated]).toEqual([10_000, '9999', true])
    const whole = parsePatch(Array.from({ length: 10_000 }, (_, n) => title(n)).join(''))
    expect([whole.files.length, whole.truncated]).toEqual([10_000, false])
    const long = parsePatch(`${title(1)}${title(2)}@@ -0,0 +1,600000 @@\n${'+x\n'.repeat(600_000)}${title(3)}`)
    expect([long.files.map(({ path }) => path), long.truncated]).toEqual([['1'], true])
  })

  it('of line ends alone takes neither the memory nor the time of the server', () => {
    const patch = '\n'.repeat(100 * 1024 * 1024)
    const since = performance.now()
    expect(parsePatch(patch)).toEqual({ files: [], truncated: true })
    expect(performance.now() - since).toBeLessThan(2_000)
  })

  it('says when it was cut, and is empty without a change', () => {
    expect(parsePatch('')).toEqual({ files: [], truncated: false })
    expect(parsePatch('# Cut here: the whole change is larger.\n')).toEqual({ files: [], truncated: true })
  })
})
