import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { Adopt, Orphan } from '../../../runner/attempt/adopt.ts'
import { type Attempts, createAttempts, type RunningAttempt } from '../../../runner/attempt/attempts.ts'
import { openLeftovers } from '../../../runner/attempt/leftovers.ts'
import { createMailbox } from '../../../runner/attempt/mailbox.ts'
import { keepLease } from '../../../runner/lease/renewals.ts'
import type { Repeating } from '../../../runner/process/repeat.ts'
import type { Delivery } from '../../../runner/river/delivery.ts'
import { createSpool } from '../../../runner/river/spool.ts'
import type { FoundSandbox, SandboxEngine } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { scriptedEngine } from '../../support/scripted/scripted-sandbox.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const log = pino({ level: 'silent' })

describe('what an earlier process of this runner left', () => {
  let folder: TemporaryFolder
  let attempts: Attempts
  let leftovers: Repeating
  let emitted: NewEvent[]
  let removed: string[]

  beforeEach(async () => {
    folder = await temporaryFolder()
    ;[attempts, emitted, removed] = [createAttempts(), [], []]
  })
  afterEach(async () => {
    await leftovers.stop()
    await folder.remove()
  })

  type Given = Partial<Pick<SandboxEngine, 'find' | 'removeLeftovers'>> & { adopt?: Adopt; everyMs?: number; engineMs?: number }
  const open = async ({ adopt = async () => 'refused', everyMs = 60_000, engineMs = 0, ...engine }: Given) => {
    const delivery: Partial<Delivery> = {
      emit: (event) => emitted.push(event),
      finish: async () => 'acknowledged',
    }
    leftovers = await openLeftovers({
      engine: { ...scriptedEngine(() => []), ...engine },
      publisher: { deliver: () => delivery as Delivery },
      attempts,
      adopt,
      spoolDirectory: folder.path,
      oldDoors: [],
      stopped: new AbortController().signal,
      log,
      everyMs,
      engineMs,
    })
  }
  const spoolOf = async (...bodies: unknown[]) => {
    const header = { taskId: 't1', attempt: 1, turn: 1, signingKey: 'ab', contract: 1 }
    const spool = await createSpool(folder.path, header)
    const at = new Date().toISOString()
    await spool.append(
      bodies.map((event, index) => ({ n: index + 1, at, body: JSON.stringify(event), output: { end: index + 1, more: 0 } })),
    )
    await spool.close()
  }
  const found = (change: Partial<FoundSandbox> = {}): FoundSandbox => ({
    taskId: 't1',
    attempt: 1,
    token: 'token',
    doorDirectory: folder.path,
    wasStarted: true,
    follow: () => {
      throw new Error('nobody follows it')
    },
    remove: async () => void removed.push('t1/1'),
    ...change,
  })
  const turnStarted: NewEvent = { type: 'turn.started', data: { turn: 1, model: 'm' } }

  it('is delivered to its end, also when it holds an event that this version does not know', async () => {
    await spoolOf({ type: 'mind.changed', data: {} }, turnStarted, 'not an event')
    await open({ find: async () => [found()] })
    expect(attempts.find('t1', 1)).toMatchObject({ signingKey: 'ab', lease: null, stop: null })
    await attempts.idle()
    expect(emitted.map(({ type }) => type)).toEqual(['turn.ended', 'attempt.ended'])
    expect(removed).toEqual(['t1/1'])
    expect(attempts.list()).toEqual([])
  })

  it('ends as its agent reported when only the end of the attempt was missing', async () => {
    const end = { outcome: 'completed', reason: 'done', message: null } as const
    await spoolOf(turnStarted, { type: 'turn.ended', data: { turn: 1, ...end, summary: 'Done.', diff: null, commit: null } })
    await open({})
    await attempts.idle()
    expect(emitted).toEqual([{ type: 'attempt.ended', data: end }])
  })

  it('goes on where its sandbox is there and the coordinator gives the lease again, and keeps the sandbox until that is known', async () => {
    await spoolOf(turnStarted)
    const asked: Orphan[] = []
    const kept: boolean[] = []
    const adopt: Adopt = async (orphan) => {
      asked.push(orphan)
      kept.push(attempts.find('t1', 1)?.hasSandbox === true)
      await orphan.spool.close()
      return 'done'
    }
    let engineAnswers = false
    const find = async () => {
      if (!engineAnswers) throw new Error('the engine starts')
      return [found()]
    }
    await open({ find, adopt, engineMs: 60_000 })
    engineAnswers = true
    await attempts.idle()
    expect(asked).toMatchObject([{ spool: { header: { taskId: 't1' } }, sandbox: { token: 'token' } }])
    expect([kept, removed, emitted]).toEqual([[true], [], []])
  })

  it.each<[string, () => Partial<FoundSandbox> | null, unknown[]]>([
    ['its sandbox is gone', () => null, [turnStarted]],
    ['the door of its sandbox is gone', () => ({ doorDirectory: join(folder.path, 'gone') }), [turnStarted]],
    [
      'its end is in the spool',
      () => ({}),
      [{ type: 'attempt.ended', data: { outcome: 'cancelled', reason: 'cancelled_by_user', message: null } }],
    ],
  ])('does not go on when %s', async (_why, sandbox, events) => {
    await spoolOf(...events)
    let asked = 0
    const adopt: Adopt = async () => {
      asked += 1
      return 'done'
    }
    const one = sandbox()
    await open({ adopt, find: async () => (one ? [found(one)] : []) })
    await attempts.idle()
    expect(asked).toBe(0)
    expect(attempts.list()).toEqual([])
  })

  it('begins its sandbox anew when that was not started yet', async () => {
    await spoolOf()
    const asked: Orphan[] = []
    const adopt: Adopt = async (orphan) => {
      asked.push(orphan)
      await orphan.spool.close()
      return 'done'
    }
    await open({ adopt })
    await attempts.idle()
    expect(asked).toMatchObject([{ sandbox: null }])
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
    const running: RunningAttempt = { ...about, lease: keepLease(30_000), hasSandbox: true }
    attempts.add(running)
    // Its events are still delivered, but nothing of it runs.
    attempts.add({ ...about, attempt: 1, lease: null, hasSandbox: false })
    await open({ removeLeftovers, everyMs: 5 })
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
