import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { startGitServer } from '../../../support/outside/git-server.ts'
import { listen } from '../../../support/systems/temporary.ts'
import { openDoor } from '../door.ts'

const TOKEN = 'ghp_CANARYtoken'

describe('the host behind git', () => {
  it('never gets a redirect followed, so the token goes to no second host', async () => {
    const seen: string[] = []
    const second = await listen(
      createServer((request, response) => {
        seen.push(request.headers.authorization ?? 'none')
        response.end()
      }),
    )
    const redirect = (_request: unknown, response: ServerResponse) =>
      void response.writeHead(302, { location: `${second.url}/` }).end()
    const first = await listen(createServer(redirect))
    const upstream = `${first.url}/o/n.git`
    const door = await openDoor({ repo: { upstream, username: null, token: TOKEN } })
    const response = await fetch(`${door.hands.url}/git/repository.git/info/refs?service=git-upload-pack`, {
      headers: door.headers,
    })
    // Not a status after which git is asked again.
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('redirect')])
    expect(seen).toEqual([])
    await door.close()
    await first.close()
    await second.close()
  })

  it('cannot hold a push back as the door does', async () => {
    const host = await listen(createServer((_request, response) => void response.writeHead(425).end()))
    const upstream = `${host.url}/o/n.git`
    const door = await openDoor({ repo: { upstream, username: null, token: TOKEN } })
    const push = { method: 'POST', body: '0000', headers: door.headers }
    expect((await fetch(`${door.hands.url}/git/repository.git/git-receive-pack`, push)).status).toBe(502)
    await door.close()
    await host.close()
  })

  it('may be away: 502 that says so', async () => {
    const door = await openDoor()
    const response = await fetch(`${door.hands.url}/git/repository.git/info/refs?service=git-upload-pack`, {
      headers: door.headers,
    })
    expect([response.status, await response.text()]).toEqual([502, 'The git host cannot be reached (ECONNREFUSED).\n'])
    await door.close()
  })

  it.each([
    ['wrong credentials', 'owner/name', 'wrong', 401],
    ['no such repository', 'owner/none', TOKEN, 404],
  ])('answers for %s, and the answer is passed on', async (_what, name, password, status) => {
    const host = await startGitServer({ username: 'bot', password: TOKEN })
    await host.addRepository('owner/name', { files: { a: 'a' } })
    const upstream = `${host.url}/${name}.git`
    const door = await openDoor({ repo: { upstream, username: 'bot', token: password } })
    const response = await fetch(`${door.hands.url}/git/repository.git/info/refs?service=git-upload-pack`, {
      headers: door.headers,
    })
    expect(response.status).toBe(status)
    await response.text()
    await door.close()
    await host.stop()
  })

  it('is reached below the coordinator when the lease names a path', async () => {
    const host = await startGitServer()
    await host.addRepository('demo/repository', { files: { a: 'a' } })
    const repo = { upstream: '/demo/repository.git', username: null, token: null }
    const door = await openDoor({ repo }, { coordinatorUrl: `${host.url}/` })
    const response = await fetch(`${door.hands.url}/git/repository.git/info/refs?service=git-upload-pack`, {
      headers: door.headers,
    })
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('refs/heads/main')])
    await door.close()
    await host.stop()
  })
})
