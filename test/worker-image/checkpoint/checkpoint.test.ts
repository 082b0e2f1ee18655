import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { type Made, makeCheckpoint } from '../../../worker-image/checkpoint/make-checkpoint.ts'
import { restoreCheckpoint } from '../../../worker-image/checkpoint/restore-checkpoint.ts'
import type { Workspace } from '../../../worker-image/workspace/workspace.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { BRANCH, makeWorkTree, SOMEBODY, type WorkTree } from '../workspace/work-tree.ts'

let at: WorkTree
let bundle: string
beforeEach(async () => {
  at = await makeWorkTree()
  bundle = join(at.folder.path, 'checkpoint.bundle')
})
afterEach(() => at.folder.remove())

const START = 'mkdir src; echo one > src/a.txt; echo two > b.txt; echo "*.log" > .gitignore; echo run > run.sh'

function make(workspace: Workspace, unless: string | null = null): Promise<Made | null> {
  const { directory, folder } = at
  return makeCheckpoint(at.git, { directory, scratch: folder.path, file: bundle, workspace, unless })
}

/** What git says of a work tree, its index and its references. */
async function stateOf(): Promise<string> {
  const said = await at.inTree(
    'git status --porcelain=v2 --branch; git for-each-ref; git ls-files --stage; git stash list; git reflog; find . -name "*.lock"; sha256sum .git/index .git/config; ls .git',
  )
  return said.stdout
}

/** Every file of the work tree that git does not ignore. */
async function filesOf(): Promise<string> {
  const list =
    'git ls-files --cached --others --exclude-standard | sort -u | while read -r f; do [ -e "$f" ] || [ -L "$f" ] || continue; stat -c "%A %N" "$f"; [ -f "$f" ] && sha256sum "$f"; done; true'
  return (await at.inTree(list)).stdout
}

/** A new sandbox: the same repository, cloned again. */
async function elsewhere(): Promise<Workspace> {
  await execa('rm', ['-rf', at.directory])
  return at.opened()
}

function restore(workspace: Workspace) {
  return restoreCheckpoint(at.git, bundle, workspace)
}

describe('a checkpoint', () => {
  it('brings the work tree to another host as it was, unstaged, with HEAD and the branches', async () => {
    await at.pushed('main', 'a')
    await at.elsewhere('main', START)
    const workspace = await at.opened()
    await at.inTree(
      'echo more >> src/a.txt; rm b.txt; echo "new é" > "new file.txt"; chmod +x run.sh; ln -s src/a.txt link; git add "new file.txt"; git commit -qm own; git branch aside; echo later >> "new file.txt"; echo staged > staged.txt; git add staged.txt; echo noise > x.log',
    )
    const [files, head] = [await filesOf(), (await at.inTree('git rev-parse HEAD aside')).stdout]
    const made = await make(workspace)
    expect(made).toMatchObject({ bytes: (await stat(bundle)).size })
    const again = await elsewhere()
    expect(await filesOf()).not.toBe(files)
    const restored = await restore(again)
    expect(restored).toEqual({ ok: true, takenAt: expect.any(Number), leftOut: [] })
    expect(await filesOf()).toBe(files)
    expect((await at.inTree('git rev-parse HEAD aside; git branch --show-current')).stdout).toBe(`${head}\n${BRANCH}`)
    expect((await at.inTree('git diff --cached --name-only; git for-each-ref refs/errand; ls')).stdout).toBe(
      'a\nlink\nnew file.txt\nrun.sh\nsrc\nstaged.txt',
    )
    // What is restored is saved like any other work.
    const { result } = await at.saved(again)
    expect(result).toMatchObject({ problem: null, changed: true })
  })

  it('changes nothing that git knows of the user’s repository, and runs neither its hooks nor its filters', async () => {
    await at.elsewhere('main', `${START}; echo "*.txt filter=planted" > .gitattributes`)
    const workspace = await at.opened()
    const planted = join(at.folder.path, 'planted')
    await at.inTree(
      `git config filter.planted.clean 'touch ${planted}; cat'; for hook in pre-commit post-commit post-index-change reference-transaction; do printf '#!/bin/sh\\ntouch ${planted}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done; echo x > src/a.txt; echo y > staged; git -c core.hooksPath=/dev/null -c filter.planted.clean=cat add staged; rm -f ${planted}`,
    )
    const before = await stateOf()
    await execa('rm', ['-f', planted])
    expect(await make(workspace)).not.toBeNull()
    expect(existsSync(planted)).toBe(false)
    expect(await stateOf()).toBe(before)
  })

  it('sees a change that looks like none: in the second of the index, and of the same length', async () => {
    await at.elsewhere('main', START)
    const workspace = await at.opened()
    const second = () => Math.floor(Date.now() / 1000)
    let changedAt = 0
    // All within one second.
    for (let begun = -1; begun !== changedAt; ) {
      begun = second()
      await at.inTree('echo x$RANDOM > b.txt; git commit -qam x; printf y | dd of=b.txt conv=notrunc status=none')
      changedAt = second()
    }
    await waitFor('the next second', () => second() > changedAt)
    const files = await filesOf()
    await make(workspace)
    await restore(await elsewhere())
    expect(await filesOf()).toBe(files)
  })

  it('is made after one that was killed', async () => {
    await at.elsewhere('main', START)
    const workspace = await at.opened()
    await at.inTree('echo x > b.txt')
    await writeFile(`${bundle}.lock`, '')
    expect(await make(workspace)).not.toBeNull()
  })

  it('is made only when something has changed since the last, or since the turn began', async () => {
    await at.elsewhere('main', START)
    const workspace = await at.opened()
    expect(await make(workspace)).toBeNull()
    await at.inTree('echo x > x.log')
    expect(await make(workspace)).toBeNull()
    await at.inTree('echo x > b.txt')
    const first = await make(workspace)
    expect(await make(workspace, first?.key)).toBeNull()
    await at.inTree('git add b.txt; git commit -qm "own work"')
    const second = await make(workspace, first?.key)
    expect(second?.key).not.toBe(first?.key)
    await at.inTree('git reset -q --hard HEAD~1')
    expect(await make(workspace, second?.key)).not.toBeNull()
  })

  it('has only what the git host has not, and not what never leaves a sandbox', async () => {
    await at.elsewhere('main', `${START}; head -c 3000000 /dev/urandom > big.bin`)
    const workspace = await at.opened()
    await at.inTree(
      'echo small > new.txt; mkdir -p node_modules/x; echo x > node_modules/x/x.js; echo KEY=1 > .env; head -c 6000000 /dev/urandom > huge.bin; git init -q inner; echo x > inner/x',
    )
    const made = await make(workspace)
    expect(made?.bytes).toBeLessThan(20_000)
    const restored = await restore(await elsewhere())
    expect(restored).toEqual({
      ok: true,
      takenAt: expect.any(Number),
      leftOut: expect.arrayContaining(['node_modules', '.env', 'huge.bin', 'inner']),
    })
    expect((await at.inTree('git status --porcelain')).stdout).toBe('?? new.txt')
  })

  it.each([
    ['without a commit', '', 'echo first > first.txt'],
    ['with HEAD on no branch', START, 'git checkout -q --detach; echo x > src/a.txt; git commit -qam loose; echo y > src/a.txt'],
    [
      'in the middle of a conflict',
      START,
      'git checkout -qb o; echo o > b.txt; git commit -qam o; git checkout -q -; echo p > b.txt; git commit -qam p; git merge -q o || true',
    ],
  ])('restores a repository %s', async (_, start, script) => {
    if (start) await at.elsewhere('main', start)
    const workspace = await at.opened()
    await at.inTree(script)
    const said = 'git rev-parse HEAD 2>/dev/null || echo none; git symbolic-ref -q HEAD || echo detached'
    const [files, head] = [await filesOf(), (await at.inTree(said)).stdout]
    expect(await make(workspace)).not.toBeNull()
    expect(await restore(await elsewhere())).toMatchObject({ ok: true })
    expect([await filesOf(), (await at.inTree(said)).stdout]).toEqual([files, head])
  })
})

describe('a checkpoint that cannot be restored leaves a clean clone, and says why', () => {
  const cases: Array<[string, string, (workspace: Workspace) => Promise<unknown>]> = [
    ['because it is damaged', 'damaged', async () => writeFile(bundle, (await readFile(bundle)).subarray(0, -40))],
    ['because it is something else', 'damaged', () => writeFile(bundle, 'hello')],
    [
      'because the branch was pushed to',
      'pushed to in the meantime',
      () => execa('git', ['-C', at.origin, 'branch', BRANCH, 'main']),
    ],
    [
      'because the branch below it was rewritten',
      'was rewritten',
      async () => {
        const script = 'git checkout -q --orphan fresh; git commit -qm fresh; git push -qf origin HEAD:main'
        await execa('git', ['clone', '-q', at.origin, join(at.folder.path, 'other')])
        await execa('bash', ['-c', script], { cwd: join(at.folder.path, 'other'), env: SOMEBODY })
        await execa('git', ['-C', at.origin, 'reflog', 'expire', '--expire=now', '--all'])
        await execa('git', ['-C', at.origin, 'gc', '-q', '--prune=now'])
      },
    ],
  ]
  it.each(cases)('%s', async (_, why, spoil) => {
    await at.elsewhere('main', START)
    const workspace = await at.opened()
    await at.inTree('echo x > b.txt; echo y > new.txt')
    await make(workspace)
    await spoil(workspace)
    const again = await elsewhere()
    const clean = await filesOf()
    expect(await restore(again)).toEqual({ ok: false, why: expect.stringContaining(why) })
    expect([await filesOf(), (await at.inTree('git status --porcelain; git for-each-ref refs/errand')).stdout]).toEqual([
      clean,
      '',
    ])
  })
})
