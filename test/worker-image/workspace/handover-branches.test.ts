import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { BRANCH, makeWorkTree, type WorkTree } from './work-tree.ts'

let at: WorkTree
beforeEach(async () => {
  at = await makeWorkTree()
})
afterEach(() => at.folder.remove())

const filesOn = async (branch = BRANCH) => (await at.show(branch, 'ls-tree', '-r', '--name-only', 'BRANCH')).split('\n')

describe('branches of the agent', () => {
  it('come to the host below the task’s prefix and are named, and another turn’s are not moved', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    const variants =
      'for v in a b; do git checkout -q -b variant-$v; echo $v > v; git add v; git commit -qm $v; git checkout -q -; done'
    await at.inTree(
      `${variants}; echo own > own; git branch feature/x variant-a; git checkout -q --detach variant-b; git checkout -q ${BRANCH}`,
    )
    const { result } = await at.saved(workspace)
    for (const [name, content] of [
      ['variant-a', 'a'],
      ['variant-b', 'b'],
      ['feature-x', 'a'],
    ] as const) {
      expect(await at.show(`errand/T1/${name}`, 'show', 'BRANCH:v')).toBe(content)
      expect(result.note).toContain(`errand/T1/${name}`)
    }
    expect(await filesOn()).toEqual(['a', 'own'])

    await rm(at.directory, { recursive: true })
    const next = await at.opened()
    expect((await at.inTree('git show origin/errand/T1/variant-a:v')).stdout).toBe('a')
    await at.inTree('git checkout -q -b variant-a; echo else > v; git add v; git commit -qm else; git checkout -q -')
    const { result: again } = await at.saved(next)
    expect(await at.show('errand/T1/variant-a', 'show', 'BRANCH:v')).toBe('a')
    const [, other] = /(errand\/T1\/variant-a-\w+)/.exec(again.note ?? '') ?? []
    expect(await at.show(other ?? '?', 'show', 'BRANCH:v')).toBe('else')
  })
})

describe('a repository that a command destroyed', () => {
  it.each([
    ['rm -rf .git; echo b > b', /deleted the \.git folder/, 'a\nb'],
    ['echo b > b; rm -rf .git; git init -q; git add .; git commit -qm new; echo c > c', /replaced the \.git folder/, 'a\nb\nc'],
    [
      'echo b > b; git checkout -q --orphan new; git add .; git commit -qm new; git branch -qM errand/T1/work',
      /did not descend/,
      'a\nb',
    ],
  ])('saves the work on the real branch after: %s', async (script, words, files) => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree(script)
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, note: expect.stringMatching(words) })
    expect((await filesOn()).join('\n')).toBe(files)
    expect(await at.show(BRANCH, 'rev-list', '--max-parents=0', '--all', '--count')).toBe('1')
  })

  it('keeps what is left as a bundle when the branch cannot be fetched again', async () => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree('echo b > b; rm -rf .git')
    await execa('mv', [at.origin, `${at.origin}.away`])
    const { result, stored } = await at.saved(workspace)
    expect(result.problem).toMatchObject({
      outcome: 'failed',
      reason: 'commit_failed',
      message: expect.stringContaining('bundle'),
    })
    expect(stored.has('bundle')).toBe(true)
  })

  it.each(['rm -rf "$PWD"', 'rm -rf .git *'])('never pushes the deletion of everything: %s', async (script) => {
    await at.pushed('main', 'a')
    const workspace = await at.opened()
    await at.inTree(script)
    const { result } = await at.saved(workspace)
    expect(result.problem).toMatchObject({ outcome: 'failed', reason: 'commit_failed' })
    expect(await at.onHost()).toEqual([])
  })
})

describe('a branch that somebody moved meanwhile', () => {
  const begun = async () => {
    await at.elsewhere('main', 'echo a > a; echo c > c')
    await at.elsewhere(BRANCH, 'echo first > first')
    return at.opened()
  }

  it('gets the work on top of theirs', async () => {
    const workspace = await begun()
    const theirs = await at.elsewhere(BRANCH, 'echo theirs > theirs')
    await at.inTree(
      'echo one > one; git add one; git commit -qm one --author "Ada <ada@example.org>"; echo K=1 > .env; echo two > two',
    )
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, note: expect.stringContaining('on top of theirs') })
    expect(await filesOn()).toEqual(['a', 'c', 'first', 'one', 'theirs', 'two'])
    expect(await at.show(BRANCH, 'log', '-3', '--format=%s %an', 'BRANCH')).toBe('Work Errand\none Ada\nelsewhere Somebody')
    expect(await at.show(BRANCH, 'rev-parse', 'BRANCH~2')).toBe(theirs)
    expect(result.tip).toBe(await at.show(BRANCH, 'rev-parse', 'BRANCH'))
  })

  it('is left to them when both changed the same lines: the work is beside it, and no word is about a token', async () => {
    const workspace = await begun()
    const theirs = await at.elsewhere(BRANCH, 'echo theirs > a')
    await at.inTree('echo ours > a')
    const { result } = await at.saved(workspace)
    const [branch, beside] = await at.onHost()
    expect([branch, result.tip]).toEqual([[BRANCH, theirs], theirs])
    expect(await at.show(beside?.[0] ?? '?', 'show', 'BRANCH:a')).toBe('ours')
    expect(result.problem).toBeNull()
    expect(result.note).toMatch(/Somebody changed the branch .* both changed a\..*aside-/)
    expect(result.note).not.toMatch(/token|refused/)
  })

  it('is made again when they deleted it', async () => {
    const workspace = await begun()
    await execa('git', ['-C', at.origin, 'update-ref', '-d', `refs/heads/${BRANCH}`])
    await at.inTree('echo b > b')
    expect((await at.saved(workspace)).result).toMatchObject({ problem: null, note: expect.stringContaining('deleted') })
    expect(await filesOn()).toEqual(['a', 'b', 'c', 'first'])
  })

  it('gets a merge of the agent as a merge', async () => {
    const workspace = await begun()
    await at.elsewhere('main', 'echo news > news')
    await at.elsewhere(BRANCH, 'echo theirs > theirs')
    await at.inTree('git fetch -q; git merge -q --no-edit origin/main; echo two > two')
    expect((await at.saved(workspace)).result).toMatchObject({ problem: null })
    expect(await filesOn()).toEqual(['a', 'c', 'first', 'news', 'theirs', 'two'])
  })
})
