import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Forwarder, startForwarder } from '../../../worker-image/hands/forwarder.ts'
import { closeAfterEach, folderForEach } from '../../support/systems/closing.ts'

const folder = folderForEach()
const closers = closeAfterEach()

function openDoor(answer: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(answer))
  closers.push(() => server.close())
  return new Promise((done) => server.listen(join(folder.path, 'door.sock'), () => done(server)))
}

async function forwarder(patienceMs?: number): Promise<Forwarder> {
  const started = await startForwarder(join(folder.path, 'door.sock'), 0, patienceMs)
  closers.push(started.stop)
  return started
}

describe('the forwarder', () => {
  it('lets callers wait while the door is closed, and each gets its answer when it opens again', async () => {
    const { port } = await forwarder()
    const ask = async () => (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text()
    const early = [ask(), ask(), ask()]
    const first = await openDoor('first')
    expect(await Promise.all(early)).toEqual(['first', 'first', 'first'])
    await new Promise((done) => first.close(done))
    const between = ask()
    await openDoor('second')
    expect(await between).toBe('second')
  })

  it('resets a caller that has waited for too long', async () => {
    const { port } = await forwarder(150)
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed')
  })
})
