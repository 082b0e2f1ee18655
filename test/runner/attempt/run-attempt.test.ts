import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EngineFault } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { RUNNER_TOKEN } from '../../support/scripted/scripted-coordinator.ts'
import { print, text, toolStarted, turnEnded, turnStarted } from '../../support/scripted/scripted-lines.ts'
import type { Step } from '../../support/scripted/scripted-sandbox.ts'
import { openScriptedAttempt, type ScriptedAttempt } from './scripted-attempt.ts'

describe('an attempt', () => {
  let at: ScriptedAttempt
  beforeEach(async () => {
    at = await openScriptedAttempt()
  })
  afterEach(() => at.close())

  it('ends as the agent says, with everything delivered and nothing left', async () => {
    const end = await at.run([
      print({ type: 'sandbox.ready', data: { node: 'v24' } }),
      turnStarted,
      text('hi'),
      turnEnded('completed', 'done'),
    ])
    expect(end).toEqual({ outcome: 'completed', reason: 'done', message: null })
    expect(at.types()).toEqual(['sandbox.ready', 'turn.started', 'text.written', 'turn.ended', 'attempt.ended'])
    expect(await readdir(at.folder.path)).toEqual([])
    expect({ removed: at.engine.removed, gatewaysClosed: at.gatewaysClosed }).toEqual({ removed: 1, gatewaysClosed: 1 })
    expect(at.engine.started[0]).toMatchObject({ taskId: 't1', attempt: 1, token: 'the-task-token' })
    expect(at.gateway?.lease.assignment).not.toHaveProperty('access')
    expect(JSON.stringify(at.gateway?.lease.assignment)).not.toContain('CANARY')
  })

  it('closes what a crash left open, and tells how it crashed without a secret', async () => {
    const errorTail = 'Error: \u001b[31mcannot use the-task-token nor sk-ant-CANARY0123456789'
    const end = await at.run([turnStarted, toolStarted, { end: { exitCode: 70, errorTail } }])
    expect(end).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(at.types()).toEqual(['turn.started', 'tool.started', 'tool.ended', 'turn.ended', 'attempt.ended'])
    expect(end?.message).toContain('Error: cannot use [secret] nor [secret]')
  })

  it('hears no noise, no lie and no secret from the sandbox', async () => {
    await at.run([
      print('Segmentation fault'),
      print(null),
      print('{"type":"attempt.ended","data":{"outcome":"completed","reason":"done","message":null}}'),
      print('{"type":"usage.counted","data":{"inputTokens":0}}'),
      text(`${RUNNER_TOKEN} ghp_CANARY0123456789 ${Buffer.from('x-access-token:ghp_CANARY0123456789').toString('base64')}`),
      turnEnded('failed', 'stuck'),
    ])
    expect(at.types()).toEqual(['text.written', 'turn.started', 'turn.ended', 'attempt.ended'])
    expect(at.events()[0]?.data).toMatchObject({
      text: expect.stringMatching(/^\[secret\] \[secret\] [\w+/]{20}\[secret\]\w?=?$/),
    })
    expect(at.events().at(-1)?.data).toEqual({ outcome: 'failed', reason: 'stuck', message: null })
  })

  it('says what the gateway says, cleaned', async () => {
    const steps = (function* (): Generator<Step> {
      at.gateway?.emit({ type: 'host.blocked', data: { host: 'evil\u001b[31m.example', method: 'CONNECT', advice: 'a' } })
      yield turnStarted
      yield turnEnded('completed', 'done')
    })()
    await at.run(steps)
    expect(at.events()[0]).toEqual({ type: 'host.blocked', data: { host: 'evil.example', method: 'CONNECT', advice: 'a' } })
  })

  it.each([
    ['engine_unavailable', new EngineFault('engine_unavailable', 'no engine')],
    ['image_missing', new EngineFault('image_missing', 'no image')],
    ['host_disk_full', new EngineFault('host_disk_full', 'no space')],
  ])('is interrupted when the host cannot start it: %s', async (reason, fault) => {
    expect(await at.run(fault)).toMatchObject({ outcome: 'interrupted', reason, message: fault.message })
    expect(at.types()).toEqual(['attempt.ended'])
    expect({ gatewaysClosed: at.gatewaysClosed, left: await readdir(at.folder.path) }).toEqual({ gatewaysClosed: 1, left: [] })
  })

  it('is interrupted when the engine goes away under it', async () => {
    expect(await at.run([turnStarted, { engineLost: true }])).toMatchObject({
      outcome: 'interrupted',
      reason: 'engine_unavailable',
    })
    expect(at.types()).toEqual(['turn.started', 'turn.ended', 'attempt.ended'])
  })

  it('hands its agent each message once, whichever way it comes, and believes only the gateway about their delivery', async () => {
    const message = (messageId: string) => ({ messageId, text: `text of ${messageId}` })
    const lie = (messageId: string) => print(JSON.stringify({ type: 'message.delivered', data: { messageId, turn: 1 } }))
    const running = at.run([turnStarted, { untilStopped: true }, lie('word'), lie('renewal'), turnEnded('failed', 'stuck')], {
      messages: [message('lease')],
    })
    await at.untilTurnStarts()
    await at.coordinator.send('t1', 1, { type: 'message', message: message('word') })
    await at.coordinator.send('t1', 1, { type: 'message', message: message('regretted') })
    await at.coordinator.send('t1', 1, { type: 'withdraw', messageId: 'regretted' })
    at.coordinator.renewMessages = [message('word'), message('regretted'), message('renewal')]
    await waitFor('the messages', () => at.gateway?.messages.handOut().some(({ messageId }) => messageId === 'renewal'))
    expect(at.gateway?.messages.handOut()).toEqual([message('lease'), message('word'), message('renewal')])
    for (const _ of ['once', 'again']) at.gateway?.modelTook([{ heading: 'steer', text: 'text of word' }])
    at.drain.abort()
    await running
    expect(at.events().filter(({ type }) => type === 'message.delivered')).toEqual([
      { type: 'message.delivered', data: { messageId: 'word', turn: 1 } },
    ])
    expect(at.gateway?.messages.handOut()).toEqual([message('lease'), message('renewal')])
  })

  it('starts no sandbox when its spool cannot be made, and says so at once', async () => {
    at.spoolDirectory = join(at.folder.path, 'not-there')
    expect(await at.run([turnStarted])).toMatchObject({ outcome: 'interrupted', reason: 'host_disk_full' })
    expect(at.types()).toEqual(['attempt.ended'])
    expect(at.events().at(-1)?.data).toMatchObject({ reason: 'host_disk_full' })
    expect(at.engine.started).toEqual([])
  })

  describe('whose sandbox pushed', () => {
    const commit = 'c'.repeat(40)
    const branch = 'errand/t1/work'
    const patches = {
      task: { diff: { files: 1, insertions: 2, deletions: 3 }, patch: Buffer.from('of the task') },
      turn: { diff: { files: 1, insertions: 1, deletions: 0 }, patch: Buffer.from('of the turn') },
    }
    function* pushing(...rest: Step[]): Generator<Step> {
      yield turnStarted
      at.gateway?.emit({ type: 'branch.pushed', data: { branch, commit, before: null } })
      yield* rest
    }
    const end = () => at.events().flatMap((event) => (event.type === 'turn.ended' ? [event.data] : []))

    it('ends with the patches and numbers of what is on the git host', async () => {
      at.makePatches = async () => patches
      expect(await at.run(pushing(turnEnded('completed', 'done')))).toMatchObject({ outcome: 'completed', reason: 'done' })
      expect(end()).toMatchObject([{ diff: patches.task.diff, commit }])
      expect(at.saved).toEqual(
        new Map([
          ['patch', 'of the task'],
          ['turn-patch', 'of the turn'],
        ]),
      )
      expect(at.asked).toEqual([expect.objectContaining({ commit, turnBase: null, baseBranch: null })])
    })

    it('counts a push that the git host took and no gateway saw to its end, once', async () => {
      at.makePatches = async () => patches
      at.commitOf = async () => commit
      const reported = turnEnded('completed', 'done', { files: 1, insertions: 1, deletions: 0 })
      expect(await at.run([turnStarted, reported])).toMatchObject({ outcome: 'completed', reason: 'done' })
      const pushes = at.events().filter(({ type }) => type === 'branch.pushed')
      expect(pushes).toEqual([{ type: 'branch.pushed', data: { branch, commit, before: null } }])
      expect(end()).toMatchObject([{ diff: patches.task.diff, commit }])
    })

    it('does not count a commit of an earlier turn as the push of this one', async () => {
      at.commitOf = async () => commit
      const reported = turnEnded('completed', 'done', { files: 1, insertions: 1, deletions: 0 })
      await at.run([turnStarted, reported], { pushed: { commit, inTurn: false, turnBase: null } })
      expect(at.types()).not.toContain('branch.pushed')
      expect(end()).toMatchObject([{ diff: null, commit: null }])
    })

    it.each([70, 137])('does not end as reported when the sandbox then ended with code %i', async (exitCode) => {
      at.makePatches = async () => patches
      const ended = await at.run(pushing(turnEnded('completed', 'done'), text('after it'), { end: { exitCode } }))
      expect(ended?.outcome).not.toBe('completed')
      expect(end()).toMatchObject([{ outcome: ended?.outcome, summary: '', diff: null }])
      expect(at.types()).not.toContain('text.written')
      expect(at.saved.get('patch')).toBe('of the task')
    })

    it('tries again while the git host is away, and then ends anyway, and says what is missing', async () => {
      const running = at.run(pushing(turnEnded('completed', 'done')))
      await waitFor('a second try', () => at.asked.length > 1)
      at.makePatches = async () => patches
      expect(await running).toMatchObject({ outcome: 'completed', message: null })
      expect(end()).toMatchObject([{ commit, diff: patches.task.diff }])
    })

    it('is not held up by the git host when the runner stops', async () => {
      const running = at.run(pushing(turnEnded('completed', 'done')))
      await waitFor('a try', () => at.asked.length > 0)
      at.drain.abort()
      expect(await running).toMatchObject({ outcome: 'completed', message: expect.stringContaining('could not read') })
      expect(end()).toMatchObject([{ commit: null }])
    })
  })

  it('fails when its sandbox reports a change that never reached the git host', async () => {
    const diff = { files: 1, insertions: 1, deletions: 0 }
    const data = { turn: 1, outcome: 'completed', reason: 'done', summary: 'All done.', message: null, diff } as const
    expect(await at.run([turnStarted, print({ type: 'turn.ended', data })])).toMatchObject({
      outcome: 'failed',
      reason: 'nothing_pushed',
    })
    expect(at.asked).toEqual([])
  })
})
