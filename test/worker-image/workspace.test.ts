import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { commitAll, diffStat, patchOf } from '../../worker-image/changes.ts'
import { deliver } from '../../worker-image/delivery.ts'
import { createGit, type Git, OUTSIDE } from '../../worker-image/git.ts'
import { openWorkspace, type Workspace } from '../../worker-image/workspace.ts'
import { refsOf } from '../support/git-server.ts'
import { temporaryFolder } from '../support/temporary.ts'

const BRANCH = 'errand/T1/work'
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let origin: string
let directory: string
let git: Git
const never = new AbortController().signal

beforeEach(async () => {
  folder = await temporaryFolder()
  origin = join(folder.path, 'origin.git')
  directory = join(folder.path, 'tree')
  await execa('git', ['init', '-q', '--bare', '-b', 'main', origin])
  git = createGit({ directory, authorization: 'Bearer token', path: process.env.PATH ?? '', run: randomUUID() })
})
afterEach(async () => {
  await folder.remove()
})

const open = (more: { remote?: string; baseBranch?: string | null } = {}) =>
  openWorkspace(git, {
    directory,
    remote: origin,
    baseBranch: null,
    branch: BRANCH,
    turnBase: null,
    signal: never,
    retryDelaysMs: [1, 1],
    ...more,
  })

const opened = async (): Promise<Workspace> => {
  const result = await open()
  if (!result.ok) throw new Error(JSON.stringify(result.end))
  return result.workspace
}

/** A commit on a branch of the origin, made elsewhere. */
const pushed = async (branch: string, file: string) => {
  const tree = join(folder.path, `elsewhere-${file}`)
  const script = `git clone -q "$0" "$1" 2>/dev/null && cd "$1" && (git checkout -q "origin/$2" 2>/dev/null || true) && echo "$3" > "$3" && git add -A && git commit -qm "$3" && git push -q origin "HEAD:refs/heads/$2"`
  await execa('bash', ['-c', script, origin, tree, branch, file])
}

const delivered = async (workspace: Workspace) => {
  const kept = new Map<string, string>()
  const delivery = await deliver({
    git,
    outside: createGit({ directory: OUTSIDE, authorization: 'Bearer token', path: process.env.PATH ?? '', run: randomUUID() }),
    remote: origin,
    door: {
      keep: async (kind, bytes) => void kept.set(kind, String(bytes)),
      keepFile: async (kind, path) => void kept.set(kind, path),
    },
    workspace,
    message: 'Work',
    scratch: folder.path,
    timeoutMs: 10_000,
    log: () => undefined,
    retryDelaysMs: [1, 1],
  })
  return { delivery, kept }
}

const inTree = (script: string) => execa('bash', ['-c', script], { cwd: directory })

/** The task's branches on the git host with their commits, its own first. */
const onHost = async () => {
  const refs = Object.entries(await refsOf(origin)).map(([ref, commit]) => [ref.replace('refs/heads/', ''), commit])
  return refs.filter(([name]) => name?.startsWith('errand/')).sort(([name]) => (name === BRANCH ? -1 : 1))
}

describe('opening', () => {
  it('takes the default branch, or the one that is named', async () => {
    await pushed('main', 'a')
    await pushed('next', 'b')
    expect(await open()).toMatchObject({ ok: true, workspace: { baseBranch: 'main', resumed: false } })
    await execa('rm', ['-r', directory])
    expect(await open({ baseBranch: 'next' })).toMatchObject({ ok: true, workspace: { baseBranch: 'next' } })
    expect((await execa('git', ['-C', directory, 'branch', '--show-current'])).stdout).toBe(BRANCH)
  })

  it('says so when the base branch is not there', async () => {
    await pushed('main', 'a')
    expect(await open({ baseBranch: 'nope' })).toMatchObject({ ok: false, end: { reason: 'base_branch_not_found' } })
  })

  it('compares a branch that is there already with where it left its base', async () => {
    await pushed('main', 'a')
    await pushed(BRANCH, 'b')
    await pushed('main', 'c')
    const workspace = await opened()
    expect(workspace.resumed).toBe(true)
    expect(await diffStat(git, workspace.base, 'HEAD')).toEqual({ files: 1, insertions: 1, deletions: 0 })
  })

  it('begins an empty repository, and delivers its first commit', async () => {
    const workspace = await opened()
    await writeFile(join(directory, 'first.txt'), 'first\n')
    const { delivery, kept } = await delivered(workspace)
    expect(delivery).toMatchObject({ problem: null, diff: { files: 1, insertions: 1 } })
    expect(kept.get('patch')).toContain('+first')
    expect(Object.keys(await refsOf(origin))).toEqual([`refs/heads/${BRANCH}`])
  })

  it('delivers nothing from an empty repository that stayed empty', async () => {
    expect((await delivered(await opened())).delivery).toMatchObject({ changed: false, problem: null })
  })

  it('tells a repository that is not there', async () => {
    expect(await open({ remote: join(folder.path, 'none.git') })).toMatchObject({
      ok: false,
      end: { reason: 'repository_not_found' },
    })
  })

  it.each([
    [404, 'repository_not_found'],
    [401, 'credentials_refused'],
    [403, 'credentials_refused'],
    [502, 'git_unavailable'],
  ])('tells what a git host means by %i', async (status, reason) => {
    const server = createServer((_, response) => void response.writeHead(status).end('<html></html>'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await open({ remote: `http://127.0.0.1:${port}/git/repository.git` })).toMatchObject({ ok: false, end: { reason } })
    server.close()
  })

  it.each(['ls-remote', 'fetch'])('waits for a git host that is away for a moment, at %s', async (command) => {
    await pushed('main', 'a')
    let away = 2
    const flaky: Git = async (args, options) =>
      args[0] === command && away-- > 0
        ? { code: 128, stdout: '', stderr: 'fatal: unable to access: The requested URL returned error: 502', cut: false }
        : git(args, options)
    const options = { directory, remote: origin, baseBranch: null, branch: BRANCH, turnBase: null, signal: never }
    expect(await openWorkspace(flaky, { ...options, retryDelaysMs: [1] })).toMatchObject({ ok: false })
    await execa('rm', ['-r', directory])
    away = 2
    expect(await openWorkspace(flaky, { ...options, retryDelaysMs: [1, 1] })).toMatchObject({ ok: true })
  })

  it('tells a git host that is not there', async () => {
    expect(await open({ remote: 'http://127.0.0.1:1/git/repository.git' })).toMatchObject({
      ok: false,
      end: { reason: 'git_unavailable' },
    })
  })
})

describe('delivering', () => {
  it('runs no hook, filter or program of the repository’s own', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    const marker = join(folder.path, 'ran')
    await mkdir(join(directory, '.git/hooks'), { recursive: true })
    for (const hook of ['pre-commit', 'commit-msg', 'pre-push', 'post-commit'])
      await writeFile(join(directory, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> ${marker}\nexit 1\n`, { mode: 0o755 })
    for (const key of ['core.fsmonitor', 'diff.external', 'core.editor', 'gpg.program', 'core.askPass'])
      await execa('git', ['-C', directory, 'config', key, `touch ${marker}; false`])
    await execa('git', ['-C', directory, 'config', 'commit.gpgSign', 'true'])
    await writeFile(join(directory, 'b'), 'b\n')
    expect((await delivered(workspace)).delivery).toMatchObject({ problem: null, diff: { files: 1 } })
    await expect(execa('cat', [marker])).rejects.toThrow('No such file')
  })

  it.each([
    ['another address of the remote', (address: string) => ['remote.origin.pushurl', address], null],
    ['another address for all pushes', (address: string) => [`url.${address}.pushInsteadOf`, origin], 'push_refused'],
  ])('is not deceived by %s in the repository’s config', async (_what, setting, reason) => {
    await pushed('main', 'a')
    const workspace = await opened()
    const elsewhere = join(folder.path, 'elsewhere.git')
    await execa('git', ['init', '-q', '--bare', elsewhere])
    await execa('git', ['-C', directory, 'config', ...setting(elsewhere)])
    await writeFile(join(directory, 'b'), 'b\n')
    const { delivery, kept } = await delivered(workspace)
    expect([delivery.problem?.reason ?? null, kept.has('bundle')]).toEqual([reason, reason !== null])
    expect(`refs/heads/${BRANCH}` in (await refsOf(origin))).toBe(reason === null)
  })

  it('brings the model’s own commits along, wherever it left HEAD', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await execa('bash', ['-c', 'git checkout -q -b other && echo b > b && git add -A && git commit -qm mine && echo c > c'], {
      cwd: directory,
    })
    expect((await delivered(workspace)).delivery).toMatchObject({ problem: null, diff: { files: 2 } })
    const { stdout } = await execa('git', ['-C', origin, 'log', '--format=%s', BRANCH])
    expect(stdout).toBe('Work\nmine\na')
  })

  it('lets the model rewrite what an earlier attempt pushed, but nothing that came in between', async () => {
    await pushed('main', 'a')
    await pushed(BRANCH, 'b')
    const workspace = await opened()
    await execa('git', ['commit', '-q', '--amend', '-m', 'better'], { cwd: directory })
    expect((await delivered(workspace)).delivery.problem).toBeNull()
    await execa('git', ['commit', '-q', '--amend', '-m', 'better still'], { cwd: directory })
    const { delivery, kept } = await delivered(workspace)
    expect(delivery.problem).toMatchObject({ reason: 'push_refused' })
    expect([...kept.keys()]).toEqual(['patch', 'turn-patch', 'bundle'])
  })

  it('keeps what earlier turns pushed when a command that had left the branch was ended halfway', async () => {
    await pushed('main', 'a')
    await pushed(BRANCH, 'b')
    const workspace = await opened()
    await inTree('git checkout -q origin/main')
    expect((await delivered(workspace)).delivery).toMatchObject({ problem: null, changed: true, diff: { files: 1 } })
    await inTree('echo c > c')
    const { delivery } = await delivered(workspace)
    const [branch, beside] = await onHost()
    expect([branch, beside]).toEqual([
      [BRANCH, workspace.remoteCommit],
      [expect.stringMatching(/^errand\/T1\/aside-/), expect.any(String)],
    ])
    expect(delivery).toMatchObject({
      problem: null,
      tip: workspace.remoteCommit,
      note: expect.stringContaining(beside?.[0] ?? '?'),
    })
    expect((await execa('git', ['-C', origin, 'show', `${beside?.[0]}:c`])).stdout).toBe('c')
  })

  it('brings commits of the first turn out although HEAD is back where it began', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await inTree('echo b > b && git add -A && git commit -qm mine && git checkout -q origin/main')
    const { delivery, kept } = await delivered(workspace)
    expect(delivery).toMatchObject({ problem: null, changed: true, diff: { files: 1 }, note: null })
    expect([await onHost(), kept.get('patch')]).toEqual([[[BRANCH, delivery.tip]], expect.stringContaining('+b')])
  })

  it('brings a stash out that was never taken back', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await inTree('echo changed > a && git stash -q')
    const { delivery } = await delivered(workspace)
    const [branch, beside] = await onHost()
    expect([branch, delivery.note]).toEqual([[BRANCH, workspace.base], expect.stringContaining(beside?.[0] ?? '?')])
    expect((await execa('git', ['-C', origin, 'show', `${beside?.[0]}:a`])).stdout).toBe('changed')
  })

  it('lets the branch through when the host takes nothing beside it, and keeps that as a bundle', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await writeFile(join(origin, 'hooks/pre-receive'), '#!/bin/sh\n! grep -q aside\n', { mode: 0o755 })
    await inTree('echo changed > a && git stash -q && echo b > b')
    const { delivery, kept } = await delivered(workspace)
    expect(delivery).toMatchObject({ problem: null, diff: { files: 1 }, note: expect.stringContaining('bundle') })
    expect([await onHost(), kept.has('bundle')]).toEqual([[[BRANCH, delivery.tip]], true])
  })

  it('leaves out what git cannot add, says so, and removes the locks of a git that was killed', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await inTree(
      `git init -q nested && echo x > nested/x && echo b > b && touch .git/index.lock .git/HEAD.lock .git/refs/heads/${BRANCH}.lock`,
    )
    const { delivery } = await delivered(workspace)
    expect(delivery).toMatchObject({ problem: null, diff: { files: 1 }, note: expect.stringContaining('nested') })
    expect(await onHost()).toEqual([[BRANCH, delivery.tip]])
  })

  it('pushes the commits that are there when nothing more can be committed', async () => {
    await pushed('main', 'a')
    const workspace = await opened()
    await inTree('echo b > b && git add b && git commit -qm mine && echo c > c && echo broken > .git/index')
    const { delivery } = await delivered(workspace)
    expect(delivery).toMatchObject({
      diff: { files: 1 },
      problem: { outcome: 'failed', message: expect.stringContaining('index') },
    })
    expect(await onHost()).toEqual([[BRANCH, delivery.tip]])
  })

  it('leaves huge new files out, and says so', async () => {
    await pushed('main', 'a')
    await opened()
    await execa('truncate', ['-s', '51M', join(directory, 'huge.bin')])
    await writeFile(join(directory, 'b'), 'b\n')
    expect(await commitAll(git, 'Work')).toMatchObject({ failed: null, note: expect.stringContaining('huge.bin') })
    expect((await execa('git', ['-C', directory, 'status', '--porcelain'])).stdout).toBe('?? huge.bin')
  })

  it('cuts a large patch at a file border, and says so', async () => {
    await pushed('main', 'a')
    const { base } = await opened()
    for (const name of ['b', 'c', 'd']) await writeFile(join(directory, name), `${name}\n`.repeat(400))
    await commitAll(git, 'Work')
    const patch = String(await patchOf(git, base, 'HEAD', 3000))
    expect(patch.length).toBeLessThanOrEqual(3000)
    expect(patch).toMatch(/^diff --git a\/b b\/b/)
    expect(patch).toMatch(/\n\+[bc]\n# Cut here: .*\n$/)
  })
})
