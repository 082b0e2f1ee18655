import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { adoptLeftovers } from '../../../runner/attempt/adopt.ts'
import type { Delivery } from '../../../runner/river/delivery.ts'
import type { Publisher } from '../../../runner/river/publisher.ts'
import { createSpool } from '../../../runner/river/spool.ts'
import { scriptedEngine } from '../../support/scripted/scripted-sandbox.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

describe('what an earlier process of this runner left', () => {
  it('is settled also when it holds an event that this version does not know', async () => {
    const spool = await createSpool(folder.path, { taskId: 't1', attempt: 1, turn: 1, signingKey: 'ab' })
    const left = [{ type: 'mind.changed', data: {} }, { type: 'turn.started', data: { turn: 1, model: 'm' } }, 'not an event']
    const at = new Date().toISOString()
    await spool.append(left.map((event, index) => ({ n: index + 1, at, body: JSON.stringify(event) })))
    await spool.close()

    const said: NewEvent[] = []
    const delivery = {
      say: (event: NewEvent) => said.push(event),
      finish: async () => 'acknowledged' as const,
      abandon: () => undefined,
    }
    const publisher = { publish: () => delivery as Partial<Delivery> as Delivery } as Partial<Publisher> as Publisher
    const log = pino({ level: 'silent' })
    const adopted = await adoptLeftovers({ engine: scriptedEngine(() => []), publisher, spoolDirectory: folder.path, log })
    await adopted.delivered
    expect(said.map(({ type }) => type)).toEqual(['turn.ended', 'attempt.ended'])
    expect(await readdir(folder.path)).toEqual([])
  })
})
