import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { isModestJson } from '../../../runner/gateway/model/json-text.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { listen } from '../../support/systems/temporary.ts'
import { MODEL, openDoor } from './door.ts'
import { openModelDoor } from './model/model-door.ts'

const closers = closeAfterEach()

describe('a body for the model', () => {
  it('that would be gigabytes of objects is refused before it is parsed', async () => {
    const at = await openModelDoor((response) => response.end())
    closers.push(at.close)
    const head = `{"model":"${MODEL}","max_tokens":1,"messages":`
    for (const rest of [`[${'{},'.repeat(10_000_000)}1]}`, `${'{"a":'.repeat(5_000_000)}1${'}'.repeat(5_000_000)}}`]) {
      const before = process.memoryUsage().rss
      const response = await at.ask(head + rest)
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('too many values')])
      expect(process.memoryUsage().rss - before).toBeLessThan(500e6)
    }
    expect(at.upstream.seen).toEqual([])
  })

  it('is no longer looked at once hundreds of megabytes were refused', async () => {
    const at = await openModelDoor((response) => response.end())
    closers.push(at.close)
    const body = Buffer.alloc(32 * 1024 * 1024, '!')
    for (let call = 0; call < 8; call++) expect((await at.ask(body)).status).toBe(400)
    expect((await at.ask({})).status).toBe(429)
    // Each refusal costs its sender a pause.
  })

  it('is measured by its values, and not by what its texts look like', () => {
    expect(isModestJson(Buffer.from(JSON.stringify({ text: '{[,"\\'.repeat(1_000_000) })))).toBe(true)
    expect(isModestJson(Buffer.from(JSON.stringify(Array.from({ length: 150_000 }, () => 'a\\"'))))).toBe(true)
    expect(isModestJson(Buffer.from(JSON.stringify(Array.from({ length: 150_000 }, () => ['a']))))).toBe(false)
  })
})

describe('the calls of one sandbox', () => {
  it('are bounded also when one connection sends them all without waiting', async () => {
    let asked = 0
    const registry = createServer(() => {
      asked += 1
    })
    const { url, close } = await listen(registry)
    closers.push(close)
    const door = await openDoor({}, { npmRegistryUrl: `${url}/` })
    closers.push(door.close)

    const flood = connect(door.hands.port, '127.0.0.1')
    flood.on('error', () => undefined)
    closers.push(() => flood.destroy())
    flood.write('GET /npm/left-pad HTTP/1.1\r\nhost: door\r\n\r\n'.repeat(2_000))
    await waitFor('the registry to be asked', () => asked >= 256)
    // What is sent behind the flood is answered only after all of it was read.
    const answered = await fetch(`${door.hands.url}/npm/left-pad`)
    expect([answered.status, asked]).toEqual([503, 256])
    // The agent's way is not the one that the repository's code can flood.
    expect((await fetch(`${door.url}/task`, { headers: door.headers })).status).toBe(200)
  })
})

describe('the log of a door', () => {
  it('is not filled by calls that are refused', async () => {
    const at = await openModelDoor((response) => response.end())
    closers.push(at.close)
    for (let call = 0; call < 300; call++) expect((await at.ask({})).status).toBe(403)
    const refused = at.door.log.filter((line) => line.includes('model.refused'))
    expect([refused.length > 10, refused.length <= 200]).toEqual([true, true])
  })
})

describe('a door', () => {
  it('shuts although the answer of a call waits behind another on its connection', async () => {
    let asked = 0
    const registry = createServer((_request, response) => {
      asked += 1
      if (asked > 1) response.end(Buffer.alloc(1024 * 1024))
    })
    const { url, close } = await listen(registry)
    closers.push(close)
    const door = await openDoor({}, { npmRegistryUrl: `${url}/` })
    const caller = connect(door.hands.port, '127.0.0.1')
    caller.on('error', () => undefined)
    caller.write('GET /npm/left-pad HTTP/1.1\r\nhost: door\r\n\r\n'.repeat(2))
    await waitFor('both calls to be under way', () => asked === 2)
    caller.destroy()
    await door.close()
  })
})

describe('artifacts', () => {
  it('that are sent at once are kept one after the other', async () => {
    let underWay = 0
    let most = 0
    const kept: string[] = []
    const door = await openDoor(
      {},
      {
        saveArtifact: async (_kind, body) => {
          most = Math.max(most, ++underWay)
          kept.push(await text(body))
          underWay -= 1
        },
      },
    )
    closers.push(door.close)
    const put = (body: string) => fetch(`${door.url}/artifacts/bundle`, { method: 'PUT', headers: door.headers, body })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => put(`${index}`.repeat(100_000))))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 204))
    expect([most, kept.length]).toEqual([1, 20])
  })
})
