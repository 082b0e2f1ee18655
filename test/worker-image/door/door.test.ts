import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { UNCONFIRMED } from '../../../contract/wire/names.ts'
import { createDoor } from '../../../worker-image/door/door.ts'
import { waitFor } from '../../support/checks/wait.ts'

let server: Server
afterEach(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

async function listen(reply: (response: ServerResponse, path: string) => unknown): Promise<string> {
  server = createServer(({ url = '' }, response) => void reply(response, url)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A gateway whose coordinator is away for so many calls. */
async function startGateway(awayFor: number) {
  let calls = 0
  const url = await listen((response) => {
    calls += 1
    if (calls <= awayFor) response.writeHead(502).end('The transcript cannot be had just now; try again.')
    else response.end('what was said')
  })
  return { url, calls: () => calls }
}

describe('the conversation so far', () => {
  it('is waited for while the coordinator is started again, for longer than that takes', async () => {
    const { url } = await startGateway(8)
    expect(await createDoor({ url, token: 't' }).transcript()).toBe('what was said')
  })

  it('is asked for twice while the coordinator is away: the wait between is at the fence', async () => {
    const asked: string[] = []
    const isBack = () => asked.filter((path) => path === '/lease').length > 3
    const url = await listen((response, path) => {
      asked.push(path)
      if (!isBack()) response.writeHead(UNCONFIRMED).end()
      else if (path === '/lease') response.writeHead(204).end()
      else response.end('what was said')
    })
    expect(await createDoor({ url, token: 't' }).transcript()).toBe('what was said')
    expect(asked).toEqual(['/transcript', '/lease', '/lease', '/lease', '/lease', '/transcript'])
  })

  it('may take longer to come than the gateway may take to answer, and is asked for again when it breaks off', async () => {
    let calls = 0
    const url = await listen((response) => {
      calls += 1
      response.write('what ')
      if (calls === 1) return response.destroy()
      const pieces = ['was ', 'said ', 'at ', 'length ', 'and ', 'slowly']
      const timer = setInterval(() => {
        response.write(pieces.shift() ?? '')
        if (pieces.length === 0) response.end()
      }, 500)
      response.on('close', () => clearInterval(timer))
    })
    expect(await createDoor({ url, token: 't' }).transcript()).toBe('what was said at length and slowly')
    expect(calls).toBe(2)
  })

  it('is no longer waited for when the turn is stopped', async () => {
    const { url, calls } = await startGateway(Number.POSITIVE_INFINITY)
    const stop = new AbortController()
    const asked = createDoor({ url, token: 't', signal: stop.signal }).transcript()
    const told = expect(asked).rejects.toThrow(/502|aborted/)
    await waitFor('the first call', () => calls() > 0)
    stop.abort()
    await told
  })
})
