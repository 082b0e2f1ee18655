import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { watchRunner } from '../../../worker-image/door/watch-runner.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { folderForEach } from '../../support/systems/closing.ts'

const folder = folderForEach()
let server: Server | null = null
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((done) => (server ? server.close(done) : done(null)))
  server = null
})

/** A gateway that answers as `state` says; `silent` takes the connection only, as a process that is stopped. */
async function gateway(state: { answers: number; silent: boolean }): Promise<string> {
  const socketPath = join(folder.path, 'door.sock')
  server = createServer((_request, response) => {
    state.answers += 1
    if (!state.silent) response.writeHead(404).end()
  })
  await new Promise<void>((done) => server?.listen(socketPath, done))
  return socketPath
}

describe('the watch over the runner', () => {
  it('hears any answer as a sign of life', async () => {
    const state = { answers: 0, silent: false }
    let gone = 0
    const socketPath = await gateway(state)
    watchRunner({ socketPath, onGone: () => void gone++, everyMs: 10, misses: 2 })
    await waitFor('many answers', () => state.answers > 10)
    expect(gone).toBe(0)
    // It takes connections, and answers nothing.
    state.silent = true
    await waitFor('the end', () => gone === 1)
  })

  it('gives a runner that is away some time, and begins to count anew when it is back', async () => {
    let gone = 0
    const socketPath = join(folder.path, 'door.sock')
    watchRunner({ socketPath, onGone: () => void gone++, everyMs: 100, misses: 20 })
    const state = { answers: 0, silent: false }
    await gateway(state)
    await waitFor('an answer', () => state.answers > 0)
    expect(gone).toBe(0)
    server?.closeAllConnections()
    await new Promise((done) => server?.close(done))
    const closedAt = performance.now()
    await waitFor('the end', () => gone === 1)
    expect(performance.now() - closedAt).toBeGreaterThan(1_000)
  })
})
