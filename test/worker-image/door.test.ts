import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createDoor } from '../../worker-image/door.ts'
import { waitFor } from '../support/wait.ts'

let server: Server
afterEach(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

/** A gateway whose coordinator is away for so many calls. */
const startGateway = async (awayFor: number) => {
  let calls = 0
  server = createServer((_, response) => {
    calls += 1
    if (calls <= awayFor) response.writeHead(502).end('The transcript cannot be had just now; try again.')
    else response.end('what was said')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls }
}

describe('the conversation so far', () => {
  it('is waited for while the coordinator is started again, for longer than that takes', async () => {
    const { url } = await startGateway(8)
    expect(await createDoor({ url, token: 't' }).transcript()).toBe('what was said')
  })

  it('is no longer waited for when the turn is stopped', async () => {
    const { url, calls } = await startGateway(Number.POSITIVE_INFINITY)
    const stop = new AbortController()
    const asked = createDoor({ url, token: 't', signal: stop.signal }).transcript()
    const told = expect(asked).rejects.toThrow('502')
    await waitFor('the first call', () => calls() > 0)
    stop.abort()
    await told
  })
})
