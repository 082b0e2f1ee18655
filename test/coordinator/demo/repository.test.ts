import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'
import { type DemoServer, startDemoServer } from './demo-server.ts'

const env = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' }

describe('the demo repository', () => {
  let server: DemoServer
  let folder: TemporaryFolder
  const git = (cwd: string, ...args: string[]) => execa('git', args, { cwd, env })
  const clone = async (name: string) => {
    await git(folder.path, 'clone', '--quiet', server.repoUrl, name)
    return join(folder.path, name)
  }

  beforeAll(async () => {
    ;[server, folder] = await Promise.all([startDemoServer(), temporaryFolder()])
  })
  afterAll(async () => {
    await server.stop()
    await folder.remove()
  })

  it('is made once, with the same history everywhere, also when many ask at the same time', async () => {
    const clones = await Promise.all(['a', 'b', 'c'].map(clone))
    const heads = await Promise.all(clones.map(async (path) => (await git(path, 'rev-parse', 'HEAD')).stdout))
    expect(new Set(heads).size).toBe(1)
    const { stdout } = await git(clones[0] ?? '', 'log', '--format=%s')
    expect(stdout.split('\n')).toHaveLength(3)
  })

  it('takes a push of more than one buffer, and gives it to the next clone', async () => {
    const path = await clone('push')
    const noise = Array.from({ length: 60_000 }, (_, i) => `${i} ${Math.random()}`).join('\n')
    await writeFile(join(path, 'noise.txt'), noise)
    await git(path, 'add', '.')
    await git(path, '-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '--quiet', '-m', 'noise')
    await git(path, 'push', '--quiet', 'origin', 'HEAD:refs/heads/errand/1/noise')
    await git(folder.path, 'clone', '--quiet', '--branch', 'errand/1/noise', server.repoUrl, 'again')
    const { stdout } = await git(join(folder.path, 'again'), 'show', 'HEAD:noise.txt')
    expect(stdout).toBe(noise)
  })

  it('wants the credentials for fetch and push alike', async () => {
    for (const user of ['', 'errand:wrong@', 'somebody:@'])
      await expect(git(folder.path, 'ls-remote', server.repoUrl.replace(/\/\/.*@/, `//${user}`))).rejects.toMatchObject({
        stderr: expect.stringMatching(/could not read|Authentication failed/),
      })
    const response = await fetch(`${server.origin}/demo/git/hello.git/info/refs?service=git-receive-pack`)
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic /)])
  })

  it('serves nothing but the three requests of smart HTTP for this one repository', async () => {
    const headers = { authorization: `Basic ${Buffer.from(`errand:${server.demo.gitToken}`).toString('base64')}` }
    for (const path of ['/hello.git/HEAD', '/hello.git/config', '/other.git/info/refs', '/hello.git/../../server.json', '/'])
      expect((await fetch(`${server.origin}/demo/git${path}`, { headers })).status).toBe(404)
  })
})
