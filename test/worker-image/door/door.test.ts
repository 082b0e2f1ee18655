import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { UNCONFIRMED } from '../../../contract/wire/names.ts'
import { createDoor } from '../../../worker-image/door/door.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()

async function serve(reply: (response: ServerResponse, path: string) => unknown): Promise<string> {
  const { url, close } = await listen(createServer((request, response) => void reply(response, request.url ?? '')))
  closers.push(close)
  return url
}

/** A gateway whose coordinator is away for so many calls. */
async function startGateway(awayFor: number) {
  let calls = 0
  const url = await serve((response) => {
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
    const url = await serve((response, path) => {
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
    const url = await serve((response) => {
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
