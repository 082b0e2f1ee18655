import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Assignment } from '../../../contract/wire/sandbox.ts'
import { CoordinatorFault } from '../../../runner/lease/coordinator-client.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type Door, KEY, openDoor, rawRequest, TASK } from './door.ts'
import { BEGIN, startUpstream } from './model/model-upstream.ts'

const doors: Door[] = []
async function open(...args: Parameters<typeof openDoor>) {
  const door = await openDoor(...args)
  doors.push(door)
  return door
}
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close()
})

const AGENTS_PATHS = ['/task', '/money', '/messages', '/transcript', '/llm/v1/messages', '/artifacts/patch', '/lease', '/hands']

describe('the door', () => {
  it('gives the assignment to whoever shows the token, in each way that clients show one', async () => {
    const door = await open()
    for (const headers of [
      { authorization: `Bearer ${door.token}` },
      { 'x-api-key': door.token },
      { authorization: 'Bearer wrong', 'x-api-key': door.token },
    ]) {
      const response = await fetch(`${door.url}/task`, { headers: headers as Record<string, string> })
      expect([response.status, await response.json()]).toMatchObject([200, { taskId: TASK, prompt: 'mend it' }])
    }
  })

  it('adds to the assignment what the sandbox has, from the settings of its runner', async () => {
    const machine = { cpus: 3, memoryMb: 100, workspaceMb: 50, allowedHosts: ['example.org'] }
    const door = await openDoor({}, { machine })
    doors.push(door)
    const response = await fetch(`${door.url}/task`, { headers: door.headers })
    expect(Assignment.parse(await response.json()).machine).toEqual(machine)
  })

  it.each(AGENTS_PATHS)('refuses %s without the token, and with that of another door', async (path) => {
    const [mine, other] = [await open(), await open()]
    for (const headers of [{}, { authorization: `Bearer ${other.token}` }, { authorization: 'Bearer ' }, { 'x-api-key': '' }]) {
      const response = await fetch(`${mine.url}${path}`, { headers: headers as Record<string, string> })
      expect([response.status, await response.text()]).toEqual([401, expect.stringContaining('token')])
    }
  })

  it.each(AGENTS_PATHS)('has no %s for the hands, not even with the token', async (path) => {
    const door = await open()
    for (const method of ['GET', 'POST', 'PUT'])
      expect((await fetch(`${door.hands.url}${path}`, { method, headers: door.headers })).status).toBe(404)
    expect([door.artifacts.size, door.said]).toEqual([0, []])
  })

  it('has neither git, packages nor a proxy for the agent, which needs none', async () => {
    const door = await open()
    expect(await rawRequest(door, 'GET', '/git/repository.git/info/refs?service=git-upload-pack')).toMatch(/^HTTP\/1\.1 404 /)
    expect(await rawRequest(door, 'GET', '/npm/is-fine')).toMatch(/^HTTP\/1\.1 404 /)
    expect(await rawRequest(door, 'CONNECT', 'example.org:443')).toBe('')
  })

  it('starts the hands again when the agent asks', async () => {
    let started = 0
    const door = await open({}, { startHands: async () => void started++ })
    const ask = (method: string) => fetch(`${door.url}/hands`, { method, headers: door.headers })
    expect([(await ask('POST')).status, (await ask('GET')).status, started]).toEqual([204, 405, 1])
  })

  it('answers 404 to a path that leads nowhere', async () => {
    const door = await open()
    for (const path of ['/', '/tasks', '/llm', '/git', '/artifacts', '/npm'])
      for (const url of [door.url, door.hands.url])
        expect((await fetch(`${url}${path}`, { headers: door.headers })).status).toBe(404)
  })

  it.each([
    ['door.sock', 10_001],
    ['hands.sock', 10_002],
  ])('lets one user of the sandbox alone open %s', async (name, user) => {
    const door = await open()
    const socket = await stat(join(door.directory, name))
    const root = process.getuid?.() === 0
    expect([socket.mode & 0o777, socket.uid]).toEqual(root ? [0o600, user] : [0o666, process.getuid?.()])
    expect((await stat(door.directory)).mode & 0o777).toBe(0o711)
  })

  it('says which path is too long for a socket', async () => {
    await expect(openDoor({}, { directory: `/tmp/${'x'.repeat(110)}` })).rejects.toThrow(/too long for a unix socket/)
  })

  it('is not opened for a model without a price, since no budget could be kept', async () => {
    await expect(openDoor({ model: 'claude-unheard-of' })).rejects.toThrow(/has no price/)
  })

  it('cuts a live stream when it is shut, lets go of the model API, and answers nothing afterwards', async () => {
    const upstream = await startUpstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(BEGIN)
    })
    const door = await open({ modelApi: { baseUrl: upstream.url, key: KEY } })
    const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 10, stream: true, messages: [] })
    const response = await fetch(`${door.url}/llm/v1/messages`, { method: 'POST', headers: door.headers, body })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const rest = reader.read()
    const before = performance.now()
    await Promise.all([door.close(), expect(rest).rejects.toThrow()])
    expect(performance.now() - before).toBeLessThan(1000)
    await waitFor('the call upstream to be aborted', () => upstream.seen[0]?.aborted)
    // What the cut call cost is known before `close` returns.
    expect(door.said).toMatchObject([{ type: 'usage.counted', data: { inputTokens: 1000, estimated: true } }])
    await expect(fetch(`${door.url}/task`, { headers: door.headers })).rejects.toThrow()
    await expect(stat(join(door.directory, 'door.sock'))).rejects.toThrow()
    doors.splice(0)
    await upstream.stop()
  })

  it('shuts although a caller keeps an idle connection open', async () => {
    const door = await open()
    const socket = connect(door.port, '127.0.0.1')
    socket.write('GET /task HTTP/1.1\r\nhost: door\r\n')
    const ended = text(socket).catch(() => 'cut')
    await waitFor('the connection', () => socket.readyState === 'open')
    await door.close()
    doors.splice(0)
    expect(await ended).toBe('')
  })

  it('writes neither token, key nor body to the log', async () => {
    const upstream = await startUpstream((response) => response.writeHead(500).end('CANARY-answer'))
    const door = await open({
      modelApi: { baseUrl: upstream.url, key: KEY },
      repo: { upstream: upstream.url, username: null, token: 'ghp_CANARY' },
    })
    const body = JSON.stringify({
      model: 'claude-opus-5-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'CANARY-body' }],
    })
    for (const path of ['/llm/v1/messages', '/git/repository.git/git-upload-pack', '/task', '/nowhere'])
      await (await fetch(`${door.url}${path}`, { method: 'POST', headers: door.headers, body })).text()
    await upstream.stop()
    await (await fetch(`${door.url}/llm/v1/messages`, { method: 'POST', headers: door.headers, body })).text()
    expect(door.log.join('')).toContain('model.unreachable')
    expect(door.log.join('')).not.toMatch(/CANARY/)
    expect(door.log.join('')).not.toContain(door.token)
  })
})

describe('artifacts', () => {
  it('are streamed out of the sandbox', async () => {
    const door = await open()
    for (const kind of ['unpushed-patch', 'bundle'] as const) {
      const response = await fetch(`${door.url}/artifacts/${kind}`, { method: 'PUT', headers: door.headers, body: `the ${kind}` })
      expect(response.status).toBe(204)
      expect(door.artifacts.get(kind)?.toString()).toBe(`the ${kind}`)
    }
  })

  it.each(['patch', 'turn-patch', 'unpushed-patch', 'unpushed-turn-patch'])(
    'are not a %s by the sandbox when it has pushed',
    async (kind) => {
      const door = await open({}, { hasPushed: () => true })
      const response = await fetch(`${door.url}/artifacts/${kind}`, { method: 'PUT', headers: door.headers, body: 'forged' })
      expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('Errand makes')])
      expect(door.artifacts.size).toBe(0)
    },
  )

  it.each([
    ['PUT', '/artifacts/other', 404],
    ['PUT', '/artifacts/patch/../bundle', 404],
    ['POST', '/artifacts/patch', 405],
  ])('answer %s %s with %i', async (method, path, status) => {
    const door = await open()
    expect(await rawRequest(door, method, path)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(door.artifacts.size).toBe(0)
  })

  it('that cannot be kept are refused with 502, so that the agent tries again', async () => {
    const saveArtifact = async () => {
      throw new Error('the coordinator is away')
    }
    const door = await open({}, { saveArtifact })
    const response = await fetch(`${door.url}/artifacts/bundle`, {
      method: 'PUT',
      headers: door.headers,
      body: 'x'.repeat(200_000),
    })
    expect(response.status).toBe(502)
    expect((await fetch(`${door.url}/task`, { headers: door.headers })).status).toBe(200)
  })

  it.each([413, 503])(
    'that are refused with %i are refused in the words of the coordinator, and not sent again',
    async (status) => {
      const sentence = 'There is no room. Delete something.'
      const saveArtifact = async (_kind: string, body: Readable) => {
        body.resume()
        throw new CoordinatorFault(status === 503 ? 'unreachable' : 'refused', 'it refused', { status, sentence })
      }
      const door = await open({}, { saveArtifact })
      const response = await fetch(`${door.url}/artifacts/output.a`, { method: 'PUT', headers: door.headers, body: 'x' })
      expect([response.status, await response.text()]).toEqual([status, `${sentence}\n`])
    },
  )

  it('that are cut off on the way are not kept', async () => {
    const door = await open()
    const socket = connect(door.port, '127.0.0.1')
    socket.write(`PUT /artifacts/bundle HTTP/1.1\r\nhost: door\r\nx-api-key: ${door.token}\r\ncontent-length: 1000\r\n\r\nhalf`)
    await waitFor('the connection', () => socket.readyState === 'open')
    socket.destroy()
    await waitFor('the refusal', () => door.log.some((line) => line.includes('artifact.refused')))
    expect(door.artifacts.size).toBe(0)
  })
})
