import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { commitAll, patchOf } from '../../../worker-image/workspace/changes.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import { BRANCH, makeWorkTree, type WorkTree } from './work-tree.ts'

let at: WorkTree
beforeEach(async () => {
  at = await makeWorkTree()
})
afterEach(() => at.folder.remove())

describe('saving the work', () => {
  it('runs no hook, filter or program of the repository’s own', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    const marker = join(at.folder.path, 'ran')
    await mkdir(join(at.directory, '.git/hooks'), { recursive: true })
    for (const hook of ['pre-commit', 'commit-msg', 'pre-push', 'post-commit'])
      await writeFile(join(at.directory, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> ${marker}\nexit 1\n`, { mode: 0o755 })
    for (const key of ['core.fsmonitor', 'diff.external', 'core.editor', 'gpg.program', 'core.askPass'])
      await execa('git', ['-C', at.directory, 'config', key, `touch ${marker}; false`])
    await execa('git', ['-C', at.directory, 'config', 'commit.gpgSign', 'true'])
    await writeFile(join(at.directory, 'b'), 'b\n')
    expect((await at.saved(workspace)).result).toMatchObject({ problem: null, diff: { files: 1 } })
    await expect(execa('cat', [marker])).rejects.toThrow('No such file')
  })

  it.each([
    ['another address of the remote', (address: string) => ['remote.origin.pushurl', address], null],
    ['another address for all pushes', (address: string) => [`url.${address}.pushInsteadOf`, at.origin], 'push_refused'],
  ])('is not deceived by %s in the repository’s config', async (_what, setting, reason) => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    const elsewhere = join(at.folder.path, 'elsewhere.git')
    await execa('git', ['init', '-q', '--bare', elsewhere])
    await execa('git', ['-C', at.directory, 'config', ...setting(elsewhere)])
    await writeFile(join(at.directory, 'b'), 'b\n')
    const { result, stored } = await at.saved(workspace)
    expect([result.problem?.reason ?? null, stored.has('bundle')]).toEqual([reason, reason !== null])
    expect(`refs/heads/${BRANCH}` in (await refsOf(at.origin))).toBe(reason === null)
  })

  it('brings the model’s own commits along, wherever it left HEAD', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree('git checkout -q -b other && echo b > b && git add -A && git commit -qm mine && echo c > c')
    expect((await at.saved(workspace)).result).toMatchObject({ problem: null, diff: { files: 2 } })
    const { stdout } = await execa('git', ['-C', at.origin, 'log', '--format=%s', BRANCH])
    expect(stdout).toBe('Work\nmine\na')
  })

  it('lets the model rewrite what an earlier attempt pushed, but nothing that came in between', async () => {
    await at.pushed('main', 'a')
    await at.pushed(BRANCH, 'b')
    const workspace = await at.opened()
    await at.inTree('git commit -q --amend -m better')
    expect((await at.saved(workspace)).result.problem).toBeNull()
    await at.inTree('git commit -q --amend -m "better still"')
    const before = await at.onHost()
    const { result, stored } = await at.saved(workspace)
    const [branch, beside] = await at.onHost()
    expect([branch]).toEqual(before)
    expect(beside?.[0]).toMatch(/^errand\/T1\/aside-/)
    expect(result).toMatchObject({ problem: null, tip: branch?.[1], note: expect.stringContaining(beside?.[0] ?? '?') })
    expect([...stored.keys()]).toEqual([])
  })

  it('keeps what earlier turns pushed when a command that had left the branch was ended halfway', async () => {
    await at.pushed('main', 'a')
    await at.pushed(BRANCH, 'b')
    const workspace = await at.opened()
    await at.inTree('git checkout -q origin/main')
    expect((await at.saved(workspace)).result).toMatchObject({ problem: null, changed: true, diff: { files: 1 } })
    await at.inTree('echo c > c')
    const { result } = await at.saved(workspace)
    const [branch, beside] = await at.onHost()
    expect([branch, beside]).toEqual([
      [BRANCH, workspace.remoteCommit],
      [expect.stringMatching(/^errand\/T1\/aside-/), expect.any(String)],
    ])
    expect(result).toMatchObject({
      problem: null,
      tip: workspace.remoteCommit,
      note: expect.stringContaining(beside?.[0] ?? '?'),
    })
    expect((await execa('git', ['-C', at.origin, 'show', `${beside?.[0]}:c`])).stdout).toBe('c')
  })

  it('brings commits of the first turn out although HEAD is back where it began', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree('echo b > b && git add -A && git commit -qm mine && git checkout -q origin/main')
    const { result, stored } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, changed: true, diff: { files: 1 }, note: null })
    expect([await at.onHost(), [...stored.keys()]]).toEqual([[[BRANCH, result.tip]], []])
  })

  it('brings a stash out that was never taken back', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree('echo changed > a && git stash -q')
    const { result } = await at.saved(workspace)
    const [branch, beside] = await at.onHost()
    expect([branch, result.note]).toEqual([[BRANCH, workspace.base], expect.stringContaining(beside?.[0] ?? '?')])
    expect((await execa('git', ['-C', at.origin, 'show', `${beside?.[0]}:a`])).stdout).toBe('changed')
  })

  it('lets the branch through when the host takes nothing beside it, and keeps that as a bundle', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await writeFile(join(at.origin, 'hooks/pre-receive'), '#!/bin/sh\n! grep -q aside\n', { mode: 0o755 })
    await at.inTree('echo changed > a && git stash -q && echo b > b')
    const { result, stored } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, diff: { files: 1 }, note: expect.stringContaining('bundle') })
    expect([await at.onHost(), stored.has('bundle')]).toEqual([[[BRANCH, result.tip]], true])
  })

  it('leaves out what git cannot add, says so, and removes the locks of a git that was killed', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree(
      `mkdir git~1 && echo x > git~1/x && echo b > b && touch .git/index.lock .git/HEAD.lock .git/refs/heads/${BRANCH}.lock`,
    )
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, diff: { files: 1 }, note: expect.stringContaining('git~1/x') })
    expect(await at.onHost()).toEqual([[BRANCH, result.tip]])
  })

  it('pushes the commits that are there when nothing more can be committed', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree('echo b > b && git add b && git commit -qm mine && echo c > c && echo broken > .git/index')
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({
      diff: { files: 1 },
      problem: { outcome: 'failed', message: expect.stringContaining('index') },
    })
    expect(await at.onHost()).toEqual([[BRANCH, result.tip]])
  })

  it('leaves huge new files out, and says so', async () => {
    await at.pushed('main', 'a')
    await at.opened()
    await execa('truncate', ['-s', '51M', join(at.directory, 'huge.bin')])
    await writeFile(join(at.directory, 'b'), 'b\n')
    expect(await commitAll(at.git, 'Work')).toMatchObject({ failed: null, note: expect.stringContaining('huge.bin') })
    expect((await execa('git', ['-C', at.directory, 'status', '--porcelain'])).stdout).toBe('?? huge.bin')
  })

  it('cuts a large patch at a file border, and says so', async () => {
    await at.pushed('main', 'a')
    const { base } = await at.opened()
    for (const name of ['b', 'c', 'd']) await writeFile(join(at.directory, name), `${name}\n`.repeat(400))
    await commitAll(at.git, 'Work')
    const patch = String(await patchOf(at.git, base, 'HEAD', 3000))
    expect(patch.length).toBeLessThanOrEqual(3000)
    expect(patch).toMatch(/^diff --git a\/b b\/b/)
    expect(patch).toMatch(/\n\+[bc]\n# Cut here: .*\n$/)
  })
})
