import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { type Attempts, createAttempts, type RunningAttempt } from '../../../runner/attempt/attempts.ts'
import { type Leftovers, openLeftovers } from '../../../runner/attempt/leftovers.ts'
import { createMailbox } from '../../../runner/attempt/mailbox.ts'
import { keepLease } from '../../../runner/lease/renewals.ts'
import type { Delivery } from '../../../runner/river/delivery.ts'
import { createSpool } from '../../../runner/river/spool.ts'
import type { SandboxEngine } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { scriptedEngine } from '../../support/scripted/scripted-sandbox.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const log = pino({ level: 'silent' })

describe('what an earlier process of this runner left', () => {
  let folder: TemporaryFolder
  let attempts: Attempts
  let leftovers: Leftovers
  let emitted: NewEvent[]

  beforeEach(async () => {
    folder = await temporaryFolder()
    ;[attempts, emitted] = [createAttempts(), []]
  })
  afterEach(async () => {
    await leftovers.stop()
    await folder.remove()
  })

  const open = async (removeLeftovers: SandboxEngine['removeLeftovers'], everyMs: number) => {
    const delivery: Partial<Delivery> = {
      emit: (event) => emitted.push(event),
      finish: async () => 'acknowledged',
    }
    const publisher = { deliver: () => delivery as Delivery }
    leftovers = await openLeftovers({
      engine: { removeLeftovers },
      publisher,
      attempts,
      spoolDirectory: folder.path,
      log,
      everyMs,
    })
  }

  it('is delivered to its end, also when it holds an event that this version does not know', async () => {
    const spool = await createSpool(folder.path, { taskId: 't1', attempt: 1, turn: 1, signingKey: 'ab' })
    const left = [{ type: 'mind.changed', data: {} }, { type: 'turn.started', data: { turn: 1, model: 'm' } }, 'not an event']
    const at = new Date().toISOString()
    await spool.append(left.map((event, index) => ({ n: index + 1, at, body: JSON.stringify(event) })))
    await spool.close()

    await open(scriptedEngine(() => []).removeLeftovers, 60_000)
    expect(attempts.find('t1', 1)).toMatchObject({ signingKey: 'ab', lease: null, stop: null })
    await attempts.idle()
    expect(emitted.map(({ type }) => type)).toEqual(['turn.ended', 'attempt.ended'])
    expect(await readdir(folder.path)).toEqual([])
    expect(attempts.list()).toEqual([])
  })

  it('ends as its agent reported when it was killed while it looked at what was pushed', async () => {
    const spool = await createSpool(folder.path, { taskId: 't1', attempt: 1, turn: 1, signingKey: 'ab' })
    const started: NewEvent = { type: 'turn.started', data: { turn: 1, model: 'm' } }
    await spool.append([{ n: 1, at: new Date().toISOString(), body: JSON.stringify(started) }])
    const end = { outcome: 'completed', reason: 'done', message: null } as const
    const held: NewEvent = { type: 'turn.ended', data: { turn: 1, ...end, summary: 'Done.', diff: null, commit: null } }
    await spool.hold(held)
    await spool.close()

    await open(scriptedEngine(() => []).removeLeftovers, 60_000)
    await attempts.idle()
    expect(emitted).toEqual([held, { type: 'attempt.ended', data: end }])
  })

  it('is removed again and again where the engine refused, and never a container of an attempt that runs', async () => {
    let left = ['t1/1', 't1/2']
    let asked = 0
    const removeLeftovers = async (isRunning: (taskId: string, attempt: number) => boolean) => {
      asked += 1
      if (asked === 1) throw new Error('the engine hangs')
      const before = left.length
      left = left.filter((name) => isRunning(name.split('/')[0] ?? '', Number(name.split('/')[1])))
      return before - left.length
    }
    const about = { taskId: 't1', attempt: 2, signingKey: 'ab', mailbox: createMailbox([], ''), delivery: null, stop: null }
    const running: RunningAttempt = { ...about, lease: keepLease(30_000) }
    attempts.add(running)
    // Its events are still delivered, but nothing of it runs.
    attempts.add({ ...about, attempt: 1, lease: null })
    await open(removeLeftovers, 5)
    await waitFor('the first to go', () => left.length === 1)
    const seen = asked
    await waitFor('two more rounds', () => asked >= seen + 2)
    expect(left).toEqual(['t1/2'])
    attempts.remove(running)
    await waitFor('the second to go', () => left.length === 0)
    await leftovers.stop()
    const stopped = asked
    await new Promise((done) => setImmediate(done))
    expect(asked).toBe(stopped)
  })
})
