import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { webAddressOf } from '../../cli/input/checkout.ts'
import { git } from '../support/outside/git-server.ts'
import { type ScriptedServer, startScriptedServer } from '../support/scripted/scripted-server.ts'
import { errand } from '../support/systems/command-line.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/systems/temporary.ts'

describe('the address of a remote', () => {
  it.each([
    ['https://github.com/you/project.git', 'https://github.com/you/project.git'],
    ['https://you:secret@git.example.org:8443/you/project', 'https://git.example.org:8443/you/project'],
    ['git@github.com:you/project.git', 'https://github.com/you/project.git'],
    ['git.example.org:/you/project', 'https://git.example.org/you/project'],
    ['ssh://git@git.example.org:2222/you/project.git', 'https://git.example.org/you/project.git'],
    ['/srv/project.git', null],
    ['../project', null],
    ['file:///srv/project.git', null],
  ])('%s is %s', (remote, address) => {
    expect(webAddressOf(remote)).toBe(address)
  })
})

describe('errand run in a checkout', () => {
  let server: ScriptedServer
  let folder: TemporaryFolder
  let cwd: string
  const run = (...args: string[]) => errand(['run', '--detach', ...args, 'do it'], { env: server.env, cwd })
  const sent = () => [...server.created.values()].map(({ repoUrl, baseBranch }) => [repoUrl, baseBranch])
  const commit = () => git(cwd, 'commit', '--quiet', '--allow-empty', '--message', 'x')
  const push = async (branch: string) => {
    await git(cwd, 'push', '--quiet', join(folder.path, 'host.git'), branch)
    await git(cwd, 'update-ref', `refs/remotes/origin/${branch}`, 'HEAD')
  }

  beforeEach(async () => {
    server = await startScriptedServer()
    folder = await temporaryFolder()
    cwd = join(folder.path, 'work', 'inner')
    await mkdir(cwd, { recursive: true })
    await git(folder.path, 'init', '--quiet', '--bare', 'host.git')
    await git(folder.path, 'init', '--quiet', '--initial-branch', 'main', 'work')
    await git(cwd, 'remote', 'add', 'origin', 'git@example.org:you/project.git')
    await commit()
    await push('main')
  })
  afterEach(async () => {
    await server.kill()
    await folder.remove()
  })

  it('takes its repository and its branch, and says so', async () => {
    const { exit, out, err } = await run()
    expect([exit, sent()]).toEqual([0, [['https://example.org/you/project.git', 'main']]])
    expect(err).toMatch(/^Repository https:\/\/example\.org\/you\/project\.git, branch main, as in .*work\.\n$/)
    expect(out).toMatch(/^tsk_\w+\n$/)
  })

  it('says how many commits the agent will not have', async () => {
    await commit()
    expect((await run()).err).toContain('One commit here is not pushed, so the agent does not have it.')
    await commit()
    expect((await run()).err).toContain('2 commits here are not pushed, so the agent does not have them.')
  })

  it('begins from the branch that this one follows on the host', async () => {
    await git(cwd, 'switch', '--quiet', '--create', 'mine')
    await git(cwd, 'config', 'branch.mine.remote', 'origin')
    await git(cwd, 'config', 'branch.mine.merge', 'refs/heads/main')
    await run()
    expect(sent()).toEqual([['https://example.org/you/project.git', 'main']])
  })

  it('sends nothing from a branch that the host does not have, from none at all, or from where no server can clone', async () => {
    await git(cwd, 'switch', '--quiet', '--create', 'mine')
    expect(await run()).toMatchObject({ exit: 2, err: expect.stringContaining('“mine” is not on origin yet. Push it') })
    await git(cwd, 'switch', '--quiet', '--detach')
    expect(await run()).toMatchObject({ exit: 2, err: expect.stringContaining('not on a branch. Name the branch') })
    await git(cwd, 'remote', 'set-url', 'origin', '/srv/project')
    expect(await run()).toMatchObject({ exit: 2, err: expect.stringContaining('Name a URL with --repo') })
    await git(cwd, 'remote', 'remove', 'origin')
    expect(await run()).toMatchObject({ exit: 2, err: expect.stringContaining('has no remote “origin”') })
    expect(sent()).toEqual([])
  })

  it('lets the command line say otherwise', async () => {
    await run('--base', 'release')
    await run('--repo', 'https://example.org/a/b')
    expect(sent()).toEqual([
      ['https://example.org/you/project.git', 'release'],
      ['https://example.org/a/b', null],
    ])
  })

  it("does not take Errand's own folder for the repository: npx is called there", async () => {
    const env = { ERRAND_URL: server.url, ERRAND_TOKEN: server.token }
    const there = { cwd: join(folder.path, 'work'), home: join(folder.path, 'work') }
    expect(await errand(['run', 'do it'], { env, ...there })).toMatchObject({
      exit: 2,
      err: expect.stringContaining('Name a repository with --repo'),
    })
  })
})
