import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import { tailMs } from '../../../contract/wire/deadlines.ts'
import { UNCONFIRMED } from '../../../contract/wire/names.ts'
import { CoordinatorFault } from '../../../runner/lease/coordinator-client.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type Door, openDoor } from './door.ts'

let door: Door
afterEach(() => door.close())

function put(path: string, body: string, headers: Record<string, string> = door.headers) {
  return fetch(`${door.url}${path}`, { method: 'PUT', headers, body })
}
function hashOf(words: string) {
  return createHash('sha256').update(words).digest('hex')
}

describe('what leaves the host while the turn runs', () => {
  it('goes to the coordinator whole, or as the end of what is there', async () => {
    door = await openDoor()
    expect((await put('/tail/journal', 'one two')).status).toBe(204)
    expect((await put(`/tail/journal?from=4&hash=${hashOf('one ')}`, 'three')).status).toBe(204)
    expect(String(door.tail.kept.get('journal'))).toBe('one three')
    expect((await put(`/tail/journal?from=4&hash=${hashOf('two ')}`, 'four')).status).toBe(409)
    expect((await put('/tail/journal?from=-1&hash=x', 'four')).status).toBe(400)
  })

  it('comes back to the next attempt, and only the work tree does so here', async () => {
    let kept: string | null = 'a bundle'
    door = await openDoor({}, { openCheckpoint: async () => (kept === null ? null : Readable.from([Buffer.from(kept)])) })
    const get = (path: string) => fetch(`${door.url}${path}`, { headers: door.headers })
    expect(await (await get('/tail/checkpoint')).text()).toBe('a bundle')
    kept = null
    expect((await get('/tail/checkpoint')).status).toBe(404)
    expect((await get('/tail/journal')).status).toBe(405)
    expect((await fetch(`${door.hands.url}/tail/checkpoint`, { headers: door.headers })).status).toBe(404)
  })

  it('is given up by the runner before the sandbox gives it up, so that the next upload finds the way free', async () => {
    const limits: (number | undefined)[] = []
    door = await openDoor(
      {},
      {
        saveArtifact: async (_kind, body, { atMostMs } = {}) => {
          limits.push(atMostMs)
          await text(body)
          throw new CoordinatorFault('unreachable', 'it did not answer in time')
        },
      },
    )
    const body = 'x'.repeat(1_000_000)
    expect((await put('/tail/checkpoint', body)).status).toBe(UNCONFIRMED)
    expect((await put('/tail/checkpoint', 'small')).status).toBe(UNCONFIRMED)
    expect(limits).toEqual([tailMs(body.length).runnerMs, tailMs(5).runnerMs])
    expect(limits[0]).toBeGreaterThan(limits[1] ?? 0)
    expect(tailMs(5).sandboxMs).toBeGreaterThan(tailMs(5).runnerMs)
  })

  it('needs the token, and is nothing at the way of the hands or among the artifacts', async () => {
    door = await openDoor()
    expect((await put('/tail/journal', 'x', {})).status).toBe(401)
    expect((await put('/tail/transcript', 'x')).status).toBe(404)
    expect((await put('/artifacts/journal', 'x')).status).toBe(404)
    const ofHands = await fetch(`${door.hands.url}/tail/journal`, { method: 'PUT', headers: door.headers, body: 'x' })
    expect(ofHands.status).toBe(404)
    expect(door.tail.kept.size).toBe(0)
  })

  it('waits for nobody: an absent coordinator, or one of its kind that is on its way, means later', async () => {
    let arrived = false
    let goOn: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let isAway = true
    door = await openDoor(
      {},
      {
        confirmLease: () => new Promise(() => undefined),
        saveArtifact: async (_kind, body) => {
          if (isAway) throw new CoordinatorFault('unreachable', 'its disk is full', { status: 503 })
          await text(body)
          arrived = true
          await slow
        },
      },
    )
    expect((await put('/tail/journal', 'x')).status).toBe(UNCONFIRMED)
    isAway = false
    const first = put('/tail/journal', 'x')
    await waitFor('the first', () => arrived)
    expect((await put('/tail/journal', 'y')).status).toBe(429)
    goOn()
    expect((await first).status).toBe(204)
  })
})
