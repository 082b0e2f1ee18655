import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { diffStat } from '../../../worker-image/workspace/changes.ts'
import type { Git } from '../../../worker-image/workspace/git.ts'
import { openWorkspace } from '../../../worker-image/workspace/workspace.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import { listen } from '../../support/systems/temporary.ts'
import { BRANCH, makeWorkTree, type WorkTree } from './work-tree.ts'

const never = new AbortController().signal
let at: WorkTree
beforeEach(async () => {
  at = await makeWorkTree()
})
afterEach(() => at.folder.remove())

describe('opening', () => {
  it('takes the default branch, or the one that is named', async () => {
    await at.pushed('main', 'a')
    await at.pushed('next', 'b')
    expect(await at.open()).toMatchObject({ ok: true, workspace: { baseBranch: 'main', resumed: false } })
    await execa('rm', ['-r', at.directory])
    expect(await at.open({ baseBranch: 'next' })).toMatchObject({ ok: true, workspace: { baseBranch: 'next' } })
    expect((await execa('git', ['-C', at.directory, 'branch', '--show-current'])).stdout).toBe(BRANCH)
  })

  it('says so when the base branch is not there', async () => {
    await at.pushed('main', 'a')
    expect(await at.open({ baseBranch: 'nope' })).toMatchObject({ ok: false, end: { reason: 'base_branch_not_found' } })
  })

  it('compares a branch that is there already with where it left its base', async () => {
    await at.pushed('main', 'a')
    await at.pushed(BRANCH, 'b')
    await at.pushed('main', 'c')
    const workspace = await at.opened()
    expect(workspace.resumed).toBe(true)
    expect(await diffStat(at.git, workspace.base, 'HEAD')).toEqual({ files: 1, insertions: 1, deletions: 0 })
  })

  it('begins an empty repository, and delivers its first commit', async () => {
    const workspace = await at.opened()
    await writeFile(join(at.directory, 'first.txt'), 'first\n')
    const { result } = await at.saved(workspace)
    expect(result).toMatchObject({ problem: null, diff: { files: 1, insertions: 1 } })
    expect(Object.keys(await refsOf(at.origin))).toEqual([`refs/heads/${BRANCH}`])
  })

  it('delivers nothing from an empty repository that stayed empty', async () => {
    expect((await at.saved(await at.opened())).result).toMatchObject({ changed: false, problem: null })
  })

  it('tells a repository that is not there', async () => {
    expect(await at.open({ remote: join(at.folder.path, 'none.git') })).toMatchObject({
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
    const { url, close } = await listen(server)
    expect(await at.open({ remote: `${url}/git/repository.git` })).toMatchObject({ ok: false, end: { reason } })
    await close()
  })

  it('passes on what is said of a repository that has moved, without an address that only the sandbox knows', async () => {
    const said = 'The repository is now at https://git.example/new/home.'
    const server = createServer((_, response) => void response.writeHead(404, { 'content-type': 'text/plain' }).end(`${said}\n`))
    const { url, close } = await listen(server)
    expect(await at.open({ remote: `${url}/git/repository.git` })).toEqual({
      ok: false,
      end: { outcome: 'failed', reason: 'repository_not_found', message: said },
    })
    await close()
  })

  it.each(['ls-remote', 'fetch'])('waits for a git host that is away for a moment, at %s', async (command) => {
    await at.pushed('main', 'a')
    let away = 2
    const flaky: Git = async (args, options) =>
      args[0] === command && away-- > 0
        ? { code: 128, stdout: '', stderr: 'fatal: unable to access: The requested URL returned error: 502', cut: false }
        : at.git(args, options)
    const options = {
      directory: at.directory,
      remote: at.origin,
      baseBranch: null,
      branch: BRANCH,
      turnBase: null,
      signal: never,
    }
    expect(await openWorkspace(flaky, { ...options, retryDelaysMs: [1] })).toMatchObject({ ok: false })
    await execa('rm', ['-r', at.directory])
    away = 2
    expect(await openWorkspace(flaky, { ...options, retryDelaysMs: [1, 1] })).toMatchObject({ ok: true })
  })

  it('tells a git host that is not there', async () => {
    expect(await at.open({ remote: 'http://127.0.0.1:1/git/repository.git' })).toMatchObject({
      ok: false,
      end: { reason: 'git_unavailable' },
    })
  })
})
