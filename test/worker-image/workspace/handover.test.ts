import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { refsOf } from '../../support/outside/git-server.ts'
import { BRANCH, makeWorkTree, SOMEBODY, type WorkTree } from './work-tree.ts'

let at: WorkTree
beforeEach(async () => {
  at = await makeWorkTree()
})
afterEach(() => at.folder.remove())

const filesOn = async (branch = BRANCH) => (await at.show(branch, 'ls-tree', '-r', '--name-only', 'BRANCH')).split('\n')
const historyOf = (branch = BRANCH) => at.show(branch, 'log', '-p', '--format=%H %P', 'BRANCH')

describe('a merge', () => {
  const both = 'echo base > a; echo base > b; echo base > c'
  const conflict = async () => {
    const workspace = await at.openedWith(both)
    await at.elsewhere('main', 'echo theirs > a; echo theirs > b')
    await at.inTree('echo ours > a; git rm -q b; git commit -qam ours; git fetch -q; git merge -q origin/main || true')
    return workspace
  }

  it.each([
    ['left open', 'echo more > c'],
    ['committed with its markers', 'git add -A; git commit -qm merged; echo more > c'],
  ])('%s is not claimed: the branch is as it was before, and the person reads which files', async (how, script) => {
    const workspace = await conflict()
    await at.inTree(script)
    const { result } = await at.saved(workspace)
    const [branch, beside] = await at.onHost()
    expect(result.unfinished).toMatchObject({ outcome: 'failed', reason: 'conflicts_left' })
    expect(result.note).toMatch(how === 'left open' ? /Still in conflict: a, b\./ : /Still in conflict: a\./)
    expect(result.note).toContain(beside?.[0] ?? '?')
    expect(branch?.[0]).toBe(BRANCH)
    expect(await at.show(BRANCH, 'show', 'BRANCH:a')).toBe('ours')
    for (const name of [BRANCH, beside?.[0] ?? '?']) expect(await at.show(name, 'rev-list', '--merges', 'BRANCH')).toBe('')
    expect(await at.show(beside?.[0] ?? '?', 'show', 'BRANCH:a')).toContain('<<<<<<<')
    expect(await at.show(beside?.[0] ?? '?', 'show', 'BRANCH:c')).toBe('more')
  })

  it('whose markers are gone is committed as one, although git was not told', async () => {
    const workspace = await at.openedWith(both)
    await at.elsewhere('main', 'echo theirs > a')
    await at.inTree('echo ours > a; git commit -qam ours; git fetch -q; git merge -q origin/main || true; echo both > a')
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, unfinished: null, note: null })
    expect(await at.show(BRANCH, 'rev-list', '--merges', '--count', 'BRANCH')).toBe('1')
  })

  it('is not looked for in a file that only shows what conflict markers are', async () => {
    const workspace = await at.openedWith(both)
    await at.inTree("printf '<<<<<<< ours\\na\\n=======\\nb\\n>>>>>>> theirs\\n' > parser.test.txt")
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ unfinished: null, note: expect.stringContaining('parser.test.txt') })
    expect(await filesOn()).toContain('parser.test.txt')
  })
})

describe('what is in the work tree but not for the commit', () => {
  it('delivers a nested repository as plain files, also one that was committed as a link, and leaves a second work tree out', async () => {
    const workspace = await at.openedWith('echo a > a')
    await at.inTree(
      'git init -q tool; cd tool; echo t > t; git add t; git commit -qm t; git init -q deeper; echo d > deeper/d; cd ..; git add tool 2>/dev/null; git commit -qm link; git init -q young; echo y > young/y; git worktree add -q wt -b wt; echo lost > wt/lost',
    )
    const { result } = await at.saved(workspace)
    expect(await filesOn()).toEqual(['a', 'tool/deeper/d', 'tool/t', 'young/y'])
    expect(result.note).toMatch(/plain files.*: tool, tool\/deeper, young/)
    expect(result.note).toMatch(/second work tree \(wt\)/)
  })

  it('says which files below a submodule are left out, and is not done when they were all', async () => {
    await execa('git', ['init', '-q', '--bare', join(at.folder.path, 'lib.git')])
    const library = join(at.folder.path, 'lib')
    await execa('bash', ['-c', `git init -q ${library}; cd ${library}; echo l > l; git add l; git commit -qm l`], {
      env: SOMEBODY,
    })
    const workspace = await at.openedWith(`git -c protocol.file.allow=always submodule --quiet add ${library} vendor/lib`)
    await at.inTree('echo fix > vendor/lib/fix.txt')
    const { result } = await at.saved(workspace)
    expect(result.note).toContain('vendor/lib/fix.txt')
    expect(result.unfinished).toMatchObject({ reason: 'not_delivered' })
  })

  it('names the files that git ignores, not what builds and installs make', async () => {
    const workspace = await at.openedWith(
      "printf 'config/local.json\\nnode_modules/\\ndist/\\nnotes/\\n*.log\\n' > .gitignore; echo a > a",
    )
    await at.inTree(
      'mkdir -p config node_modules/x dist notes deep; echo 1 > config/local.json; echo 1 > node_modules/x/i.js; echo 1 > dist/o.js; echo 1 > x.log; echo 1 > notes/n; echo b > b',
    )
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, unfinished: null })
    expect(result.note).toBe("Left out, because the repository's .gitignore covers it: config/local.json, notes/n.")
  })

  it('names an ignored file that a tool of the agent wrote wherever it is, and is not done when it was the only one', async () => {
    const workspace = await at.openedWith("printf 'dist/\\n' > .gitignore; echo a > a")
    await at.inTree('mkdir dist; echo 1 > dist/o.js; echo 1 > dist/other.js')
    const { result } = await at.saved(workspace, { written: [join(at.directory, 'dist/o.js')], untested: [] })
    expect(result).toMatchObject({
      unfinished: { reason: 'not_delivered' },
      note: expect.stringMatching(/covers it: dist\/o\.js\.$/),
    })
  })

  it('never pushes installed packages, environment files and keys, and says so', async () => {
    const workspace = await at.openedWith(
      'echo a > a; echo KNOWN=1 > .env.test; mkdir node_modules; echo tracked > node_modules/kept',
    )
    const token = `sk-ant-api03-${'Zk3Qw9Lm2Xv7'.repeat(3)}`
    await at.inTree(
      `mkdir -p web/node_modules/x .venv/bin; echo x > web/node_modules/x/i; echo x > .venv/bin/p; echo more > node_modules/kept; echo K=1 > .env; echo K= > .env.example; echo "key = '${token}'" > config.py; echo 'x-x' > id_rsa; echo fine > fine; echo "${'token=ghp_'}${'a'.repeat(36)}" > made-up; echo debug > debug.py; echo "it.only('x', () => {})" > a.test.js`,
    )
    const { result } = await at.saved(workspace)
    expect(await filesOn()).toEqual(
      ['.env.example', '.env.test', 'a', 'a.test.js', 'debug.py', 'fine', 'made-up', 'node_modules/kept'].sort(),
    )
    expect(await at.show(BRANCH, 'show', 'BRANCH:node_modules/kept')).toBe('more')
    for (const name of ['web/node_modules', '.venv', '.env', 'id_rsa', 'config.py', 'debug.py', 'a.test.js'])
      expect(result.note).toContain(name)
    expect(result.note).not.toContain('made-up')
  })

  it('takes a secret out of the agent’s own commits, also one that a later commit deletes', async () => {
    const workspace = await at.openedWith('echo a > a')
    const token = `ghp_${'Zk3Qw9Lm2Xv7'.repeat(3)}`
    await at.inTree(
      `echo K=${token} > .env; echo b > b; git add -Af; git commit -qm one; git rm -q .env; echo "${token}" > b; git commit -qam two; echo clean > b; git commit -qam three; git checkout -q -b other HEAD~1; echo o > o; git add o; git commit -qm other; git checkout -q -`,
    )
    const { result, stored } = await at.saved(workspace)
    expect([await filesOn(), await at.show(BRANCH, 'show', 'BRANCH:b')]).toEqual([['a', 'b'], 'clean'])
    expect(Object.keys(await refsOf(at.origin)).sort()).toEqual([
      'refs/heads/errand/T1/other',
      `refs/heads/${BRANCH}`,
      'refs/heads/main',
    ])
    for (const branch of [BRANCH, 'errand/T1/other']) expect(await historyOf(branch)).not.toContain(token)
    expect(await historyOf()).toContain(` ${workspace.base}`)
    expect([result.note, stored.get('patch')]).toEqual([expect.stringContaining('.env'), expect.not.stringContaining(token)])
  })

  it.each([
    ['git-crypt', 'unencrypted'],
    ['lfs', 'in the wrong form'],
  ])('refuses a file whose filter %s is missing, unless it has been through it', async (filter, words) => {
    const filtered =
      { 'git-crypt': '\\0GITCRYPT\\0x', lfs: 'version https://git-lfs.github.com/spec/v1\\noid x\\n' }[filter] ?? ''
    const workspace = await at.openedWith(
      `echo 'secrets/** filter=${filter}' > .gitattributes; mkdir secrets; printf '${filtered}' > secrets/old`,
    )
    await at.inTree(
      `echo PLAIN > secrets/staging.env; echo PLAIN > secrets/old; printf '${filtered}' > secrets/moved; echo b > b`,
    )
    const { result } = await at.saved(workspace)
    expect(await filesOn()).toEqual(['.gitattributes', 'b', 'secrets/moved', 'secrets/old'])
    expect(await historyOf()).not.toContain('PLAIN')
    expect(result.note).toMatch(new RegExp(`"${filter}" is missing.*${words}: secrets/old, secrets/staging.env`))
  })

  it('refuses it in a commit of the agent too', async () => {
    const workspace = await at.openedWith("echo 'secrets/** filter=git-crypt' > .gitattributes; echo a > a")
    await at.inTree('mkdir secrets; echo PLAIN > secrets/s; echo b > b; git add -A; git commit -qm all')
    await at.saved(workspace)
    expect([await filesOn(), await historyOf()]).toEqual([['.gitattributes', 'a', 'b'], expect.not.stringContaining('PLAIN')])
  })

  it('leaves links out that lead out of the repository', async () => {
    const workspace = await at.openedWith("echo 'node_modules/' > .gitignore; echo a > a")
    await at.inTree(
      'ln -s ~/nm node_modules; ln -s ../outside up; mkdir d; ln -s ../a d/in; ln -s /etc/hosts hosts; ln -s a same',
    )
    const { result } = await at.saved(workspace)
    expect(await filesOn()).toEqual(['.gitignore', 'a', 'd/in', 'same'])
    for (const name of ['node_modules', 'up', 'hosts']) expect(result.note).toContain(name)
  })

  it('does not rewrite files that git shows as changed right after the checkout', async () => {
    const workspace = await at.openedWith(
      "printf 'a\\r\\n' > crlf.txt; printf 'b\\r\\n' > mine.txt; git add -A; git commit -qm crlf; echo '* text' > .gitattributes; echo a > a; git() { if [ $1 = add ]; then command git add .gitattributes a; else command git \"$@\"; fi; }",
    )
    expect((await at.inTree('touch *.txt; git status --porcelain')).stdout).toContain('crlf.txt')
    await at.inTree("echo b > b; printf 'changed\\r\\n' > mine.txt")
    const { result } = await at.saved(workspace)
    expect(await at.show(BRANCH, 'diff', '--name-only', 'main', 'BRANCH')).toBe('b\nmine.txt')
    expect(result.note).toMatch(/right after the checkout.*crlf\.txt/)
  })
})

it('says which files were changed after the last command', async () => {
  await at.pushed('main', 'a')
  const workspace = await at.opened()
  await writeFile(join(at.directory, 'code.js'), '1\n')
  const touched = { written: ['code.js', 'README.md'], untested: ['code.js', 'README.md'] }
  expect((await at.saved(workspace, touched)).result.note).toBe('No command was run after the last change of code.js.')
})
