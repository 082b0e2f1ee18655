import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { pino } from 'pino'
import { LIMITS } from '../../../contract/api/limits.ts'
import { readPatchHead } from '../../../contract/wire/patch.ts'
import { type HostReader, openHostReader, type Pushed } from '../../../runner/patch/make-patches.ts'
import { type GitServer, git, startGitServer } from '../../support/outside/git-server.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const GIT = { username: 'x-access-token', password: 'git-CANARY-token' }
const BRANCH = 'errand/T1/work'
const never = new AbortController().signal
const PATH = process.env.PATH ?? ''

let folder: TemporaryFolder
let host: GitServer
let origin: string
let url: string
/** Somebody's clone, from which the branches of the host are pushed. */
let tree: string
let reader: HostReader

beforeEach(async () => {
  folder = await temporaryFolder()
  host = await startGitServer(GIT)
  ;({ url, path: origin } = await host.addRepository('ada/engine', {
    files: { 'a.txt': 'one\n', 'old.txt': 'gone\n'.repeat(9) },
  }))
  await execa('git', ['-C', origin, 'config', 'uploadpack.allowFilter', 'true'])
  tree = join(folder.path, 'tree')
  await execa('git', ['clone', '-q', origin, tree])
  reader = await openHostReader({ directory: join(folder.path, 'patches'), path: PATH, log: pino({ level: 'silent' }) })
})
afterEach(async () => {
  await host.stop()
  await folder.remove()
})

/** Runs a script in the clone. @returns HEAD's commit afterwards */
async function inTree(script: string): Promise<string> {
  const names = ['AUTHOR', 'COMMITTER'].flatMap((who) => [`export GIT_${who}_NAME=S GIT_${who}_EMAIL=s@example.org`])
  await execa('bash', ['-ec', `${names.join('\n')}\n${script}`], { cwd: tree })
  return (await git(tree, 'rev-parse', 'HEAD')).stdout
}
function commitAll(branch: string) {
  return `git add -A -f && git commit -qm work && git push -q -f origin HEAD:refs/heads/${branch}`
}
function patchesOf(pushed: Partial<Pushed> & { commit: string }, change: { upstream?: string; baseBranch?: string } = {}) {
  const repository = { upstream: change.upstream ?? url, username: GIT.username, token: GIT.password }
  return reader.makePatches({ repository, baseBranch: change.baseBranch ?? null, turnBase: null, ...pushed }, never)
}

/** Applies a patch to the tree that it names as its base. @returns the tree that results */
async function applied(patch: Buffer, base = readPatchHead(String(patch))?.base ?? ''): Promise<string> {
  const file = join(folder.path, 'applied.patch')
  await writeFile(file, patch)
  const index = { GIT_INDEX_FILE: join(folder.path, 'index') }
  await execa('git', ['read-tree', base.split(' ')[0] ?? ''], { cwd: tree, env: index })
  await execa('git', ['apply', '--cached', '--whitespace=nowarn', file], { cwd: tree, env: index })
  return (await execa('git', ['write-tree'], { cwd: tree, env: index })).stdout
}
async function treeOf(commit: string) {
  return (await git(tree, 'rev-parse', `${commit}^{tree}`)).stdout
}
function filesIn(patch: Buffer): string[] {
  return [...String(patch).matchAll(/^diff --git a\/(\S+) /gm)].map(([, path]) => path ?? '')
}

/** Everything that git can keep, and attributes that would hide it from a reader. */
const EVERYTHING = `
printf 'caf\\xe9\\n' > latin1.txt
printf 'y\\n' > "$(printf 'nom-\\xe9.txt')"
printf 'z\\n' > 'quoted "name".txt'
printf 'no end' > no-end.txt
printf 'a\\r\\nb\\r\\n' > crlf.txt
head -c 200000 /dev/urandom > random.bin
printf '\\x00\\x01' > small.bin
git mv old.txt renamed.txt
ln -s a.txt link
printf '#!/bin/sh\\n' > run.sh; chmod +x run.sh
printf '*.txt binary\\n*.sh -diff\\n*.bin diff=evil\\n* filter=evil\\n* text eol=crlf\\n' > .gitattributes
`

describe('the patch of a task', () => {
  it.each(['true', 'false'])(
    'gives the pushed tree when it is applied to its base, whatever is in it (host filters: %s)',
    async (filters) => {
      await execa('git', ['-C', origin, 'config', 'uploadpack.allowFilter', filters])
      const base = await inTree('true')
      const commit = await inTree(`${EVERYTHING}\n${commitAll(BRANCH)}`)
      const { task, turn } = await patchesOf({ commit })
      expect(readPatchHead(String(task.patch))).toEqual({ base, commit })
      expect(await applied(task.patch)).toBe(await treeOf(commit))
      expect(task.patch.includes(Buffer.from('+caf\xe9\n', 'latin1'))).toBe(true)
      expect([task.diff.files, turn]).toEqual([12, task])
      expect(await readdir(join(folder.path, 'patches'))).toEqual([])
    },
  )

  it('has the task’s own files alone after the base branch was merged into it, and the turn’s what the merge resolved', async () => {
    const main = 'for n in $(seq 50); do echo "$1" > "main-$n.txt"; done; echo "main $1" > a.txt'
    const first = await inTree(`git checkout -q -b work && echo mine > own.txt && echo branch > a.txt && ${commitAll(BRANCH)}`)
    await inTree(`git checkout -q main && set -- moved && ${main} && ${commitAll('main')}`)
    const onMain = await inTree('true')
    const second = await inTree(
      `git checkout -q work && (git merge -q main || true) && echo both > a.txt && echo new > new.txt && ${commitAll(BRANCH)}`,
    )
    const { task, turn } = await patchesOf({ commit: second, turnBase: first })
    expect(readPatchHead(String(task.patch))?.base).toBe(onMain)
    expect(filesIn(task.patch)).toEqual(['a.txt', 'new.txt', 'own.txt'])
    expect(task.diff.files).toBe(3)
    expect(await applied(task.patch)).toBe(await treeOf(second))
    expect(filesIn(turn.patch)).toEqual(['a.txt', 'new.txt'])
    expect(String(turn.patch)).toMatch(/^-<<<<<<< .*\n-branch\n-=======\n-main moved\n->>>>>>> .*\n\+both$/m)
    expect(turn.diff.files).toBe(2)
  })

  it('has nothing of a merge without conflicts in the turn’s', async () => {
    const first = await inTree(`git checkout -q -b work && echo mine > own.txt && ${commitAll(BRANCH)}`)
    await inTree(`git checkout -q main && echo moved > main.txt && ${commitAll('main')}`)
    const second = await inTree(
      `git checkout -q work && git merge -q -m merge main && git push -q origin HEAD:refs/heads/${BRANCH}`,
    )
    const { task, turn } = await patchesOf({ commit: second, turnBase: first })
    expect([filesIn(task.patch), filesIn(turn.patch), turn.diff.files]).toEqual([['own.txt'], [], 0])
  })

  it('of a turn begins where the turn began', async () => {
    const first = await inTree(`echo mine > own.txt && ${commitAll(BRANCH)}`)
    const second = await inTree(`echo more > more.txt && ${commitAll(BRANCH)}`)
    const { task, turn } = await patchesOf({ commit: second, turnBase: first })
    expect([filesIn(task.patch), filesIn(turn.patch)]).toEqual([['more.txt', 'own.txt'], ['more.txt']])
    expect(readPatchHead(String(turn.patch))).toEqual({ base: first, commit: second })
    expect(await applied(turn.patch)).toBe(await treeOf(second))
  })

  it('is cut at the border of a file, in bytes, and keeps its numbers', async () => {
    const commit = await inTree(
      `for n in 1 2 3; do head -c 1600000 /dev/urandom > r$n.bin; done; printf 'caf\\xe9\\n' > l.txt; ${commitAll(BRANCH)}`,
    )
    const { task } = await patchesOf({ commit })
    expect(task.patch.length).toBeLessThanOrEqual(LIMITS.patchBytes)
    expect(String(task.patch.subarray(-200))).toMatch(/\n# Cut here: .*\n$/)
    expect([filesIn(task.patch), task.diff.files]).toEqual([['l.txt', 'r1.bin', 'r2.bin'], 4])
    expect(task.patch.includes(Buffer.from('+caf\xe9\n', 'latin1'))).toBe(true)
    await applied(task.patch)
  })

  it('leaves a file out that is too large for the host, says so, and shows the others', async () => {
    const commit = await inTree(
      `truncate -s 22M huge.bin; truncate -s 21M "$(printf 'big-\\xe9.bin')"; echo b > b.txt; ${commitAll(BRANCH)}`,
    )
    const { task } = await patchesOf({ commit })
    expect([filesIn(task.patch), task.diff.files]).toEqual([['b.txt'], 3])
    expect(String(task.patch)).toContain('# Left out, too large to show: huge.bin\n')
    expect(String(task.patch)).toContain('# Left out, too large to show: big-\ufffd.bin\n')
  })

  it('is everything in a repository that had no commit', async () => {
    const empty = await host.addRepository('ada/empty', { files: { 'a.txt': 'a\n' } })
    const commit = (await git(empty.path, 'rev-parse', 'main')).stdout
    await execa('git', ['-C', empty.path, 'update-ref', `refs/heads/${BRANCH}`, commit])
    await execa('git', ['-C', empty.path, 'update-ref', '-d', 'refs/heads/main'])
    const { task } = await patchesOf({ commit }, { upstream: empty.url })
    expect([filesIn(task.patch), task.diff]).toEqual([['a.txt'], { files: 1, insertions: 1, deletions: 0 }])
  })

  it('follows the redirect of a host that serves repositories at .git alone', async () => {
    const commit = await inTree(`echo b > b.txt && ${commitAll(BRANCH)}`)
    host.redirect('gitlab')
    const { task } = await patchesOf({ commit }, { upstream: url.replace(/\.git$/, '') })
    expect(filesIn(task.patch)).toEqual(['b.txt'])
  })
})

describe('git on the runner’s host', () => {
  it('never holds the token, and runs nothing of the fetched tree or of the host’s user', async () => {
    const marker = join(folder.path, 'ran')
    const seen = join(folder.path, 'seen')
    const bin = join(folder.path, 'bin')
    await mkdir(bin)
    const real = (await execa('which', ['git'])).stdout
    await writeFile(join(bin, 'git'), `#!/bin/sh\n(env; printf '%s\\n' "$@") >> ${seen}\nexec ${real} "$@"\n`)
    await chmod(join(bin, 'git'), 0o755)
    const evil = `touch ${marker}`
    const commit = await inTree(
      `printf '* diff=evil filter=evil merge=evil\\n' > .gitattributes; printf '[diff "evil"]\\ncommand = ${evil}\\ntextconv = ${evil}\\n' > .gitconfig; printf '[submodule "x"]\\npath = x\\nurl = ext::${evil}\\n' > .gitmodules; ${commitAll(BRANCH)}`,
    )
    const guarded = await openHostReader({
      directory: join(folder.path, 'p'),
      path: `${bin}:${PATH}`,
      log: pino({ level: 'silent' }),
    })
    const repository = { upstream: url, username: GIT.username, token: GIT.password }
    await guarded.makePatches({ repository, baseBranch: 'main', commit, turnBase: null }, never)
    const { stdout } = await execa('cat', [seen])
    expect(stdout).toContain('ls-remote')
    for (const secret of [GIT.password, Buffer.from(`${GIT.username}:${GIT.password}`).toString('base64')])
      expect(stdout).not.toContain(secret)
    expect(await readdir(folder.path)).not.toContain('ran')
  })

  it('fails, and leaves nothing, when the host is away or has no such commit, or when it is stopped', async () => {
    const commit = await inTree(`echo b > b.txt && ${commitAll(BRANCH)}`)
    await expect(patchesOf({ commit: '1'.repeat(40) })).rejects.toThrow('git fetch failed')
    await expect(patchesOf({ commit }, { upstream: 'http://127.0.0.1:9/o/n.git' })).rejects.toThrow('git ls-remote failed')
    const repository = { upstream: url, username: GIT.username, token: GIT.password }
    await expect(
      reader.makePatches({ repository, baseBranch: null, commit, turnBase: null }, AbortSignal.abort()),
    ).rejects.toThrow('git')
    expect(await readdir(join(folder.path, 'patches'))).toEqual([])
  })

  it('reads the commit of a branch; there may be no such branch', async () => {
    const commit = await inTree(`echo b > b.txt && ${commitAll(BRANCH)}`)
    const repository = { upstream: url, username: GIT.username, token: GIT.password }
    expect(await reader.commitOf(repository, BRANCH, never)).toBe(commit)
    expect(await reader.commitOf(repository, `${BRANCH}-2`, never)).toBeNull()
    await expect(reader.commitOf({ ...repository, token: 'wrong' }, BRANCH, never)).rejects.toThrow('git ls-remote failed')
    expect(await readdir(join(folder.path, 'patches'))).toEqual([])
  })
})
