import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { OWN_ACCOUNT, patchHead } from '../../../contract/wire/patch.ts'
import { type ArtifactKind, CONVERSATION } from '../../../contract/wire/sandbox.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

let core: Core
let ada: User
beforeAll(async () => {
  core = await startCore()
  ada = await core.addUser('ada')
})
afterAll(() => core.stop())

describe('what outlives a sandbox', () => {
  it('keeps the newest attempt’s, and takes none of an attempt that is over or never was', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await expect(core.tasks.patch(ada.id, id)).rejects.toMatchObject({ code: 'not_found' })
    await core.artifacts.save(id, 1, 'patch', Readable.from(['one']))
    await core.artifacts.save(id, 1, 'patch', Readable.from(['two']))
    expect(await text(await core.tasks.patch(ada.id, id))).toBe('two')
    await expect(core.tasks.bundle(ada.id, id)).rejects.toMatchObject({ code: 'not_found' })
    await core.runner.send(lease, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')
    for (const [taskId, attempt] of [
      [id, 1],
      [id, 2],
      ['../../etc/passwd', 1],
    ] as const)
      await expect(core.artifacts.save(taskId, attempt, 'patch', Readable.from(['late']))).rejects.toMatchObject({
        code: 'conflict',
      })
    expect(await text(await core.tasks.patch(ada.id, id))).toBe('two')
  })

  it('takes the last copy of the work late, once, from an attempt that was stopped while the coordinator was away', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const stopped = { outcome: 'interrupted', reason: 'runner_stopped', message: null } as const
    await core.runner.send(lease, 1, { type: 'attempt.ended', data: stopped })
    await core.untilStatus(ada, id, 'pending')
    const late = (kind: 'bundle' | 'patch', words: string) => core.artifacts.save(id, 1, kind, Readable.from([words]))
    await late('bundle', 'the work')
    await expect(late('bundle', 'other work')).rejects.toMatchObject({ code: 'conflict' })
    await expect(late('patch', 'late')).rejects.toMatchObject({ code: 'conflict' })
    expect(await text(await core.tasks.bundle(ada.id, id))).toBe('the work')
  })

  it('takes the end of a journal behind its beginning, and changes nothing when that is another one', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const bring = (words: string, begun?: string, from = Buffer.byteLength(begun ?? '')) => {
      const behind = begun === undefined ? undefined : { from, hash: createHash('sha256').update(begun).digest('hex') }
      return core.artifacts.save(id, 1, 'journal', Readable.from([Buffer.from(words)]), behind)
    }
    const stored = async () => text(await core.artifacts.openFor(id, 1, CONVERSATION))
    await bring('héad one end')
    await bring('two end', 'héad ')
    expect(await stored()).toBe('héad two end')
    await expect(bring('three', 'other')).rejects.toMatchObject({ code: 'conflict' })
    await expect(bring('three', 'héad two end and more')).rejects.toMatchObject({ code: 'conflict' })
    await expect(bring('three', 'héad ', 5)).rejects.toMatchObject({ code: 'conflict' })
    expect(await stored()).toBe('héad two end')
    await bring('', 'héad ')
    expect(await stored()).toBe('héad ')
    await bring('anew', '')
    expect(await stored()).toBe('anew')
  })

  it('gives the next attempt the newest conversation, and keeps no journal that nobody continues from', async () => {
    const { id } = await core.create(ada)
    const lost = { outcome: 'interrupted', reason: 'runner_lost', message: null } as const
    const keep = (attempt: number, kind: ArtifactKind) =>
      core.artifacts.save(id, attempt, kind, Readable.from([`${kind} of ${attempt}`]))
    const journals = async () =>
      (await readdir(join(core.config.dataDir, 'artifacts'))).filter((name) => name.startsWith(id) && name.endsWith('.journal'))
        .length
    const conversation = async (attempt: number) => text(await core.artifacts.openFor(id, attempt, CONVERSATION))
    const first = await core.lease(id)
    expect(first.hasTranscript).toBe(false)
    await keep(1, 'journal')
    await core.runner.send(first, 1, { type: 'attempt.ended', data: lost })
    await core.untilStatus(ada, id, 'pending')
    const second = await core.lease(id)
    expect([second.hasTranscript, await conversation(2)]).toEqual([true, 'journal of 1'])
    await keep(2, 'journal')
    expect([await conversation(2), await journals()]).toEqual(['journal of 2', 1])
    await keep(2, 'transcript')
    expect([await conversation(2), await journals()]).toEqual(['transcript of 2', 0])
  })

  it('has the newest checkpoint for the next attempt at the same turn, and none when the turn has ended', async () => {
    const { id } = await core.create(ada)
    const lost = { outcome: 'interrupted', reason: 'runner_lost', message: null } as const
    const keep = (attempt: number, kind: ArtifactKind) =>
      core.artifacts.save(id, attempt, kind, Readable.from([`${kind} of ${attempt}`]))
    const checkpoint = async (attempt: number) => text(await core.artifacts.openFor(id, attempt, ['checkpoint']))
    const first = await core.lease(id)
    expect(first.hasCheckpoint).toBe(false)
    await keep(1, 'checkpoint')
    await core.runner.send(first, 1, { type: 'attempt.ended', data: lost })
    await core.untilStatus(ada, id, 'pending')
    const second = await core.lease(id)
    expect([second.hasCheckpoint, await checkpoint(2)]).toEqual([true, 'checkpoint of 1'])
    await keep(2, 'checkpoint')
    expect(await checkpoint(2)).toBe('checkpoint of 2')
    // The branch has the work when the transcript is stored.
    await keep(2, 'transcript')
    await expect(checkpoint(2)).rejects.toMatchObject({ code: 'not_found' })
    await keep(2, 'checkpoint')
    await core.runner.send(second, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')
    await core.artifacts.sweep()
    const names = (await readdir(join(core.config.dataDir, 'artifacts'))).filter((name) => name.startsWith(id))
    expect(names).toEqual([`${id}-2.transcript`])
  })

  it('has no more what is gone from the disk, and goes on without', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    await core.artifacts.save(id, 1, 'patch', Readable.from(['one']))
    await core.artifacts.save(id, 1, 'transcript', Readable.from(['{}']))
    const folder = join(core.config.dataDir, 'artifacts')
    for (const name of await readdir(folder)) if (name.startsWith(id)) await rm(join(folder, name))
    await expect(core.tasks.patch(ada.id, id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(core.artifacts.openFor(id, 1, ['transcript'])).rejects.toMatchObject({ code: 'not_found' })
  })

  it('says whose word a patch is: of what was pushed ours, and otherwise that of the agent, whatever it writes into it', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const origin = { base: 'a'.repeat(40), commit: 'c'.repeat(40) }
    const body = 'diff --git a/x b/x\nnew file mode 100644\n'
    const keep = (kind: ArtifactKind, content: string) => core.artifacts.save(id, 1, kind, Readable.from([content]))
    const whose = async (turn?: number) => {
      const { source, commit, files } = await core.tasks.changes(ada.id, id, turn)
      return [source, commit, files.length]
    }
    expect(await whose()).toEqual([null, null, 0])
    await keep('patch', body)
    expect(await whose()).toEqual(['agent', null, 1])
    await keep('unpushed-turn-patch', patchHead(origin) + body)
    expect(await whose(1)).toEqual(['agent', null, 1])
    expect(await text(await core.tasks.patch(ada.id, id, 1))).toBe(`${OWN_ACCOUNT}\n${patchHead(origin)}${body}`)
    await keep('patch', patchHead(origin) + body)
    await keep('turn-patch', patchHead(origin))
    expect([await whose(), await whose(1)]).toEqual([
      ['git-host', origin.commit, 1],
      ['git-host', origin.commit, 0],
    ])
    expect(await text(await core.tasks.patch(ada.id, id))).toBe(patchHead(origin) + body)
  })

  it('keeps nothing of what is too large or breaks off', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const chunk = Buffer.alloc(1024 * 1024)
    const endless = () =>
      Readable.from(
        (function* () {
          for (;;) yield chunk
        })(),
      )
    await expect(core.artifacts.save(id, 1, 'bundle', endless())).rejects.toMatchObject({ code: 'too_large' })
    const bounds = { patch: LIMITS.patchBytes, 'unpushed-turn-patch': LIMITS.patchBytes, transcript: LIMITS.transcriptBytes }
    for (const [kind, bytes] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
      await core.artifacts.save(id, 1, kind, Readable.from([Buffer.alloc(bytes)]))
      const refused = core.artifacts.save(id, 1, kind, endless())
      await expect(refused).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining(`${bytes}`) })
    }
    const broken = Readable.from(
      (async function* () {
        yield chunk
        throw new Error('cut')
      })(),
    )
    await expect(core.artifacts.save(id, 1, 'bundle', broken)).rejects.toThrow('cut')
    await expect(core.tasks.bundle(ada.id, id)).rejects.toMatchObject({ code: 'not_found' })
    expect((await readdir(join(core.config.dataDir, 'artifacts'))).filter((name) => name.includes('part'))).toEqual([])
  })
})
