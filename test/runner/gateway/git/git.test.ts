import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { execa, type Options } from 'execa'
import { type GitServer, refsOf, startGitServer } from '../../../support/outside/git-server.ts'
import { type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'
import { type Door, openDoor, rawRequest, TASK } from '../door.ts'

const TOKEN = 'ghp_CANARYtoken'

describe('git through the door', () => {
  let host: GitServer
  let repository: { url: string; path: string }
  let folder: TemporaryFolder
  let door: Door
  let leaseIsOurs: boolean | null
  let git: (...args: string[]) => Promise<{ failed: boolean; text: string }>

  beforeEach(async () => {
    host = await startGitServer({ username: 'x-access-token', password: TOKEN })
    repository = await host.addRepository('owner/name', { files: { 'README.md': 'hello\n', 'src/a.js': 'module.exports = 1\n' } })
    folder = await temporaryFolder()
    leaseIsOurs = true
    door = await openDoor(
      { repo: { upstream: repository.url, username: null, token: TOKEN } },
      {
        confirmLease: async () => {
          if (leaseIsOurs === null) throw new Error('the coordinator does not answer')
          return leaseIsOurs
        },
      },
    )
    git = gitIn(folder.path, door)
  })
  afterEach(async () => {
    await door.close()
    await host.stop()
    await folder.remove()
  })

  const clone = async () => {
    expect(await git('clone', '-q', `${door.hands.url}/git/repository.git`, '.')).toMatchObject({ failed: false })
  }
  const commit = async (file: string, content: string | Buffer) => {
    await writeFile(join(folder.path, file), content)
    await git('add', '-A')
    expect(await git('commit', '-q', '-m', 'Change')).toMatchObject({ failed: false })
    return (await git('rev-parse', 'HEAD')).text.trim()
  }

  it('clones, fetches and pushes with an unmodified git, and tells what the host accepted', async () => {
    await clone()
    const id = await commit('new.txt', 'new\n')
    expect(await git('push', '-q', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)).toMatchObject({ failed: false })
    expect(await refsOf(repository.path)).toMatchObject({ [`refs/heads/errand/${TASK}/work`]: id })
    expect(door.said).toEqual([{ type: 'branch.pushed', data: { branch: `errand/${TASK}/work`, commit: id, before: null } }])
    expect(await git('fetch', 'origin')).toMatchObject({ failed: false })
    expect((await git('rev-parse', `origin/errand/${TASK}/work`)).text.trim()).toBe(id)
  })

  it('pushes what is too large for one request: git probes first, then sends in chunks', async () => {
    await clone()
    const id = await commit('large.bin', randomBytes(5_000_000))
    expect(await git('push', '-q', 'origin', `HEAD:refs/heads/errand/${TASK}/large`)).toMatchObject({ failed: false })
    expect(host.requests.filter((line) => line.startsWith('POST') && line.endsWith('git-receive-pack'))).toHaveLength(2)
    expect(await refsOf(repository.path)).toMatchObject({ [`refs/heads/errand/${TASK}/large`]: id })
  })

  it('fetches with a compressed request, as git makes it with many commits in hand', async () => {
    await clone()
    for (let n = 0; n < 60; n++) await git('commit', '-q', '--allow-empty', '-m', `n${n}`)
    const other = await host.addRepository('owner/other', { files: { a: 'a' } })
    await execa('git', ['-C', repository.path, 'fetch', '-q', other.path, 'main:elsewhere'])
    expect(await git('-c', 'protocol.version=0', 'fetch', '-q', 'origin')).toMatchObject({ failed: false })
    expect(host.requests).toContain('POST /owner/name.git/git-upload-pack gzip')
    expect((await git('branch', '-r')).text).toContain('origin/elsewhere')
  })

  it.each([
    ['another branch', ['HEAD:refs/heads/main', '--force']],
    ['a tag', ['HEAD:refs/tags/v1']],
    ['a prefix that only looks like its own', [`HEAD:refs/heads/errand/${TASK}0/work`]],
    ['a good and a bad branch together', [`HEAD:refs/heads/errand/${TASK}/work`, 'HEAD:refs/heads/main']],
    ['the deletion of a branch', [`:refs/heads/errand/${TASK}/kept`]],
    ['a ref that git would take for an option', [`HEAD:refs/heads/errand/${TASK}/-x`]],
    ['push options', [`HEAD:refs/heads/errand/${TASK}/work`, '-o', 'ci.skip']],
  ])('refuses %s, and the host sees no push', async (_what, args) => {
    await clone()
    await execa('git', ['-C', repository.path, 'branch', `errand/${TASK}/kept`, 'main'])
    await execa('git', ['-C', repository.path, 'config', 'receive.advertisePushOptions', 'true'])
    const before = await refsOf(repository.path)
    await commit('new.txt', 'new\n')
    const { failed, text } = await git('push', 'origin', ...args)
    expect(text).toContain('403')
    expect(failed).toBe(true)
    expect(await refsOf(repository.path)).toEqual(before)
    expect(host.requests.filter((line) => line.startsWith('POST') && line.endsWith('git-receive-pack'))).toEqual([])
    expect(door.said).toEqual([])
  })

  it('refuses the push of an attempt that is no longer the current one', async () => {
    await clone()
    await commit('new.txt', 'new\n')
    leaseIsOurs = false
    const before = await refsOf(repository.path)
    expect(await git('push', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)).toMatchObject({ failed: true })
    expect(await refsOf(repository.path)).toEqual(before)
    const { status, text } = await post(door, '/git-receive-pack', '0000')
    expect([status, text]).toEqual([403, expect.stringContaining('no longer the current one')])
  })

  it('holds a push back while nobody says whether the attempt is the current one, with a status that no host can give', async () => {
    await clone()
    await commit('new.txt', 'new\n')
    leaseIsOurs = null
    const push = () => git('push', '-q', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)
    const asked = () => fetch(`${door.url}/lease`, { headers: door.headers }).then(({ status }) => status)
    expect([await push(), await asked()]).toMatchObject([{ failed: true, text: expect.stringContaining('425') }, 425])
    expect(Object.keys(await refsOf(repository.path))).toEqual(['refs/heads/main'])
    leaseIsOurs = true
    expect([await push(), await asked()]).toMatchObject([{ failed: false }, 204])
    leaseIsOurs = false
    expect(await asked()).toBe(403)
  })

  it('tells nothing of a push that the host declined', async () => {
    await clone()
    await commit('new.txt', 'new\n')
    await host.refusePush(true)
    const { failed, text } = await git('push', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)
    expect([failed, text]).toEqual([true, expect.stringContaining('pre-receive hook declined')])
    expect(door.said).toEqual([])
  })

  it('passes a refusal of the host on as it is', async () => {
    await clone()
    await commit('new.txt', 'new\n')
    host.forbidPush(true)
    expect((await git('push', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)).text).toContain('403')
  })

  it.each(['', '.git'])('clones, fetches and pushes at a host like GitLab, with the address typed as …name%s', async (ending) => {
    host.redirect('gitlab')
    const upstream = `${host.url}/owner/name${ending}`
    const other = await openDoor({ repo: { upstream, username: null, token: TOKEN } })
    const at = gitIn(folder.path, other)
    expect(await at('clone', '-q', `${other.hands.url}/git/repository.git`, '.')).toMatchObject({ failed: false })
    await writeFile(join(folder.path, 'new.txt'), 'new\n')
    await at('add', '-A')
    await at('commit', '-q', '-m', 'Change')
    expect(await at('push', '-q', 'origin', `HEAD:refs/heads/errand/${TASK}/work`)).toMatchObject({ failed: false })
    expect(await at('fetch', 'origin')).toMatchObject({ failed: false })
    expect(await refsOf(repository.path)).toHaveProperty(`refs/heads/errand/${TASK}/work`)
    expect(other.said).toHaveLength(1)
    // Asked once, and known from then on.
    const redirected = host.requests.filter((line) => line.includes('/owner/name/'))
    expect(redirected).toEqual(ending ? [] : ['GET /owner/name/info/refs?service=git-upload-pack'])
    await other.close()
  })

  it('pushes at a host like GitLab also when nothing was fetched before', async () => {
    await clone()
    await commit('new.txt', 'new\n')
    host.redirect('gitlab')
    const upstream = `${host.url}/owner/name`
    const other = await openDoor({ repo: { upstream, username: null, token: TOKEN } })
    const pushed = await gitIn(
      folder.path,
      other,
    )(...['push', '-q', `${other.hands.url}/git/repository.git`, `HEAD:refs/heads/errand/${TASK}/work`])
    expect(pushed).toMatchObject({ failed: false })
    await other.close()
  })

  it.each([
    ['another path of the host', '/new/home.git', 'now at HOST/new/home.git. Send the task again with that address.'],
    ['itself, by way of .git', '/owner/name.git.git', 'now at HOST/owner/name.git. Send'],
    ['another host', 'http://localhost:1/owner/name.git', 'now at http://localhost:1/owner/name.git. Send the task'],
    ['itself', '/owner/name.git', 'redirects this address'],
    ['a sign-in page', '/users/sign_in?then=', 'to HOST/users/sign_in, which is not a repository. Check the address'],
    ['nowhere', 'http://[', 'a redirect that leads nowhere'],
  ])('is told at once of a redirect to %s, which is not followed', async (_what, to, sentence) => {
    host.redirect({ '/owner/name.git': to, '/owner/name.git.git': '/owner/name.git' })
    const { failed, text } = await git('ls-remote', `${door.hands.url}/git/repository.git`)
    expect([failed, text]).toEqual([true, expect.stringContaining(sentence.replace('HOST', host.url))])
    expect(text).toContain('not found')
    expect(host.requests.length).toBeLessThanOrEqual(2)
  })

  it.each([
    'GET /git/repository.git/HEAD',
    'GET /git/repository.git/objects/info/packs',
    'GET /git/repository.git/info/refs',
    'GET /git/repository.git/info/refs?service=git-upload-archive',
    'GET /git/repository.git/info/refs?service=git-upload-pack&x=1',
    'GET /git/repository.git/../other.git/info/refs?service=git-upload-pack',
    'GET /git/repository.git/%2e%2e/other.git/info/refs?service=git-upload-pack',
    'GET /git/repository.git%2finfo/refs?service=git-upload-pack',
    'GET /git/repository.git//info/refs?service=git-upload-pack',
    'GET /git/owner/other.git/info/refs?service=git-upload-pack',
    'POST /git/repository.git/git-upload-archive',
    'POST /git/repository.git/info/lfs/objects/batch',
    'PUT /git/repository.git/git-receive-pack',
  ])('refuses %s, and the host sees no request', async (line) => {
    const [method = '', path = ''] = line.split(' ')
    expect(await rawRequest({ ...door, ...door.hands }, method, path)).toMatch(/^HTTP\/1\.1 403 /)
    expect(host.requests).toEqual([])
  })

  it('refuses a compressed push and one whose command list does not end', async () => {
    expect(await post(door, '/git-receive-pack', '0000', { 'content-encoding': 'gzip' })).toMatchObject({ status: 403 })
    const endless = `${pkt('shallow '.padEnd(48, 'a'))}`.repeat(2000)
    expect(await post(door, '/git-receive-pack', endless)).toMatchObject({
      status: 403,
      text: expect.stringContaining('too long'),
    })
    expect(host.requests).toEqual([])
  })
})

function gitIn(folder: string, door: Door) {
  return async (...args: string[]): Promise<{ failed: boolean; text: string }> => {
    const options: Options = {
      cwd: folder,
      reject: false,
      all: true,
      env: {
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_COUNT: '3',
        GIT_CONFIG_KEY_0: 'http.extraHeader',
        GIT_CONFIG_VALUE_0: `Authorization: Bearer ${door.token}`,
        GIT_CONFIG_KEY_1: 'user.name',
        GIT_CONFIG_VALUE_1: 'Agent',
        GIT_CONFIG_KEY_2: 'user.email',
        GIT_CONFIG_VALUE_2: 'agent@example.org',
      },
    }
    const { failed, all } = await execa('git', args, options)
    return { failed, text: String(all) }
  }
}

async function post(door: Door, path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${door.hands.url}/git/repository.git${path}`, {
    method: 'POST',
    body,
    headers: { ...door.headers, ...headers },
  })
  return { status: response.status, text: await response.text() }
}

function pkt(line: string) {
  return `${(line.length + 4).toString(16).padStart(4, '0')}${line}`
}
