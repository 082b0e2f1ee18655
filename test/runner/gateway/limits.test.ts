import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { pino } from 'pino'
import { LIMITS } from '../../../contract/api/limits.ts'
import { serveArtifacts } from '../../../runner/gateway/artifacts.ts'
import type { Endpoint } from '../../../runner/gateway/endpoint.ts'
import { serveGit } from '../../../runner/gateway/git/git.ts'
import { openUpstream } from '../../../runner/gateway/upstream.ts'
import { refsOf, startGitServer } from '../../support/outside/git-server.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen, temporaryFolder } from '../../support/systems/temporary.ts'
import { TASK } from './door.ts'

const log = pino({ level: 'silent' })
const closers = closeAfterEach()

/** One endpoint alone, with limits small enough to be met in a test. */
async function serve(endpoint: Endpoint): Promise<string> {
  const server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?')
    endpoint({ request, response, path, query, gone: new AbortController().signal }).catch(() => response.destroy())
  })
  const { url, close } = await listen(server)
  closers.push(close)
  return url
}

describe('an artifact', () => {
  it('over the limit is refused with 413, and not kept', async () => {
    const kept: Buffer[] = []
    const url = await serve(
      serveArtifacts({
        confirmLease: async () => true,
        keepWork: () => null,
        hasPushed: () => false,
        saveArtifact: async (_kind, body) => void kept.push(await buffer(body)),
        log,
        maxBytes: 100_000,
      }),
    )
    const put = (bytes: number) => fetch(`${url}/artifacts/bundle`, { method: 'PUT', body: Buffer.alloc(bytes) })
    expect((await put(100_001)).status).toBe(413)
    expect(kept).toEqual([])
    expect((await put(100_000)).status).toBe(204)
    expect(kept.map((body) => body.length)).toEqual([100_000])
  })
})

describe('what is kept of a turn', () => {
  const kept = new Map<string, number>()
  const start = async () => {
    kept.clear()
    const saveArtifact = async (kind: string, body: Readable) => void kept.set(kind, (await buffer(body)).length)
    const url = await serve(
      serveArtifacts({ confirmLease: async () => true, keepWork: () => null, hasPushed: () => false, saveArtifact, log }),
    )
    return async (kind: string, bytes: number) => {
      const response = await fetch(`${url}/artifacts/${kind}`, { method: 'PUT', body: Buffer.alloc(bytes) })
      return [response.status, await response.text()] as const
    }
  }

  it.each([
    ['output.toolu_1', LIMITS.outputBytes],
    ['transcript', LIMITS.transcriptBytes],
    ['unpushed-patch', LIMITS.patchBytes],
    ['unpushed-turn-patch', LIMITS.patchBytes],
  ])('as %s has a limit of its own, which the refusal names', async (kind, most) => {
    const put = await start()
    expect(await put(kind, most + 1)).toEqual([413, expect.stringContaining(String(most))])
    expect(kept.size).toBe(0)
    expect(await put(kind, most)).toEqual([204, ''])
    expect(kept.get(kind)).toBe(most)
  })

  it('is so many outputs at most, each of them as often as it comes', async () => {
    const put = await start()
    for (let n = 0; n < LIMITS.outputsPerAttempt; n++) expect((await put(`output.c${n}`, 1))[0]).toBe(204)
    expect(await put('output.more', 1)).toEqual([413, expect.stringContaining(String(LIMITS.outputsPerAttempt))])
    // A name that was refused stays so; the others, and all that is no output, go on.
    expect((await put('output.more', 1))[0]).toBe(413)
    expect((await put('unpushed-patch', 1))[0]).toBe(204)
    expect(kept.has('output.more')).toBe(false)
  })
})

describe('a push', () => {
  it('over the limit is refused, and the host changes nothing', async () => {
    const host = await startGitServer()
    const folder = await temporaryFolder()
    const upstream = openUpstream()
    closers.push(host.stop, folder.remove, upstream.close)
    const { url, path } = await host.addRepository('o/n', { files: { a: 'a' } })
    const repository = { upstream: url, username: null, token: null }
    const endpoint = serveGit({
      repository,
      taskId: TASK,
      confirmLease: async () => true,
      upstream,
      emit: () => undefined,
      log,
      maxPushBytes: 2_000_000,
    })
    const door = `${await serve(endpoint)}/git/repository.git`
    const git = (...args: string[]) =>
      execa('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-C', folder.path, ...args], {
        reject: false,
        all: true,
      })
    await git('clone', '-q', door, '.')
    const push = async (bytes: number) => {
      await writeFile(join(folder.path, 'large'), randomBytes(bytes))
      await git('add', '-A')
      await git('commit', '-q', '--amend', '-m', 'Large')
      return (await git('push', '-q', 'origin', `HEAD:refs/heads/errand/${TASK}/large`)).failed
    }
    expect(await push(3_000_000)).toBe(true)
    expect(Object.keys(await refsOf(path))).toEqual(['refs/heads/main'])
    expect(await push(1_500_000)).toBe(false)
    expect(Object.keys(await refsOf(path))).toEqual([`refs/heads/errand/${TASK}/large`, 'refs/heads/main'])
  })
})
