import { mkdtemp, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { ArtifactKind } from '../../../contract/wire/sandbox.ts'
import { sweepFolder } from '../../../coordinator/artifacts/sweep.ts'
import { findTask } from '../../../coordinator/store/tasks.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

const MB = 1024 * 1024
const SMALL = { ERRAND_ATTEMPT_OUTPUTS_MB: '4', ERRAND_TASK_OUTPUTS_MB: '6', ERRAND_USER_STORAGE_MB: '16' }

let core: Core
let ada: User
beforeEach(async () => {
  core = await startCore({ environment: SMALL })
  ada = await core.addUser('ada')
})
afterEach(() => core.stop())

const folder = () => join(core.config.dataDir, 'artifacts')
const stored = async () => (await readdir(folder())).sort()
const storedBytes = async () =>
  (await Promise.all((await stored()).map(async (name) => (await stat(join(folder(), name))).size))).reduce((a, b) => a + b, 0)

function save(taskId: string, attempt: number, kind: string, megabytes: number) {
  const chunks = Array.from({ length: megabytes }, () => Buffer.alloc(MB, 'x'))
  return core.artifacts.save(taskId, attempt, ArtifactKind.parse(kind), Readable.from(chunks))
}

function withResolvers() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Begins the task's next turn, in which it is attempt `number`. */
async function nextTurn(taskId: string, turn: number) {
  await core.tasks.send(ada.id, taskId, { text: 'On', mode: 'queue', clientId: `turn ${turn}` })
  return core.lease(taskId, turn)
}

describe('what the outputs of tools may take', () => {
  it('is bounded for an attempt, a task and a user, says which and what to do, and leaves nothing partial', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await save(id, 1, 'output.a', 3)
    await expect(save(id, 1, 'output.b', 2)).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(/this attempt may take 4 MB.*ERRAND_ATTEMPT_OUTPUTS_MB/),
    })
    expect(await stored()).toEqual([`${id}-1.output.a`])
    await save(id, 1, 'output.a', 4)
    await core.runner.send(lease, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')

    await nextTurn(id, 2)
    await save(id, 2, 'output.a', 2)
    await expect(save(id, 2, 'output.b', 1)).rejects.toMatchObject({ message: expect.stringMatching(/this task may take 6 MB/) })

    const other = await core.create(ada)
    await core.lease(other.id)
    await save(other.id, 1, 'output.a', 2)
    await expect(save(other.id, 1, 'output.b', 1)).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(/all tasks of this user may take 8 MB.*Delete tasks/),
    })
    const grace = await core.addUser('grace')
    const hers = await core.create(grace)
    await core.lease(hers.id)
    await save(hers.id, 1, 'output.a', 4)
    expect(await storedBytes()).toBe(12 * MB)
  })

  it('counts what is on its way: uploads at the same time do not pass together', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const most: number[] = []
    const watch = setInterval(
      () =>
        void storedBytes().then(
          (bytes) => most.push(bytes),
          () => undefined,
        ),
      1,
    )
    const all = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => save(id, 1, `output.call_${n}`, 2)))
    clearInterval(watch)
    expect(all.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(2)
    expect(await storedBytes()).toBeLessThanOrEqual(4 * MB)
    expect(Math.max(...most)).toBeLessThanOrEqual(4 * MB)
    // What was refused left no trace in the count either.
    for (let n = 0; (await storedBytes()) < 4 * MB; n++) await save(id, 1, `output.later_${n}`, 1)
    await expect(save(id, 1, 'output.last', 1)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('counts what another upload stored meanwhile', async () => {
    const { id } = await core.create(ada)
    await core.lease(id)
    const begun = withResolvers()
    const other = withResolvers()
    const slow = Readable.from(
      (async function* () {
        begun.resolve()
        await other.promise
        yield Buffer.alloc(3 * MB)
      })(),
    )
    const last = core.artifacts.save(id, 1, 'output.slow', slow)
    await begun.promise
    await save(id, 1, 'output.fast', 3)
    other.resolve()
    await expect(last).rejects.toMatchObject({ code: 'too_large' })
    expect(await stored()).toEqual([`${id}-1.output.fast`])
  })

  it('never takes the room of the work itself; a user who has used up all begins nothing new, and goes on when there is room', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await save(id, 1, 'output.a', 4)
    await expect(save(id, 1, 'output.b', 1)).rejects.toMatchObject({ code: 'too_large' })
    await save(id, 1, 'bundle', 20)
    await save(id, 1, 'transcript', 1)
    await save(id, 1, 'unpushed-patch', 1)
    await core.runner.send(lease, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')
    const full = { code: 'conflict', message: expect.stringMatching(/Your tasks take 16 MB.*Delete tasks/) }
    await expect(core.create(ada)).rejects.toMatchObject(full)
    await expect(core.tasks.retry(ada.id, id, {})).rejects.toMatchObject(full)
    await expect(core.tasks.send(ada.id, id, { text: 'On', mode: 'queue', clientId: 'c' })).rejects.toMatchObject(full)
    expect((await core.tasks.find(ada.id, id)).status).toBe('completed')
    expect((await core.create(await core.addUser('grace'))).status).toBe('pending')
  })
})

describe('the history of a task', () => {
  it('counts for its user: one that printed too much begins nothing new, and can again once that is deleted', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const long = { type: 'text.written', data: { text: 'x'.repeat(50_000) } } as const
    await core.runner.deliver(lease, 1, ...Array.from({ length: 340 }, () => long))
    const row = await findTask(core.db, id)
    const { events } = await core.db
      .selectFrom('events')
      .select(sql<number>`sum(octet_length(data))`.as('events'))
      .where('task_id', '=', id)
      .executeTakeFirstOrThrow()
    expect(row?.event_bytes).toBe(events)
    await core.runner.deliver(lease, 341, attemptEnded())
    await expect(core.create(ada)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/Your tasks take 16 MB/),
    })
    await core.tasks.remove(ada.id, id)
    expect((await core.create(ada)).status).toBe('pending')
  })
})

describe('what is kept once', () => {
  it('is the conversation and the patch of the branch of a task, and the patch of each turn', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    for (const kind of ['unpushed-patch', 'unpushed-turn-patch', 'patch', 'turn-patch', 'transcript', 'output.a'])
      await save(id, 1, kind, 1)
    await core.runner.send(lease, 1, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, id, 'pending')
    const second = await core.lease(id)
    for (const kind of ['patch', 'turn-patch', 'transcript']) await save(id, 2, kind, 1)
    expect(await stored()).toEqual([`${id}-1.output.a`, `${id}-2.patch`, `${id}-2.transcript`, `${id}-2.turn-patch`])
    await core.runner.send(second, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')
    await nextTurn(id, 2)
    // The sandbox's own account removes nothing that was made outside.
    for (const kind of ['unpushed-patch', 'unpushed-turn-patch']) await save(id, 3, kind, 1)
    expect(await stored()).toEqual(expect.arrayContaining([`${id}-2.patch`, `${id}-2.turn-patch`]))
    for (const kind of ['patch', 'turn-patch', 'transcript']) await save(id, 3, kind, 1)
    expect(await stored()).toEqual([
      ...[`${id}-1.output.a`, `${id}-2.turn-patch`],
      ...['patch', 'transcript', 'turn-patch'].map((kind) => `${id}-3.${kind}`),
    ])
    expect((await text(await core.artifacts.openFor(id, 3, ['transcript']))).length).toBe(MB)
    expect((await text(await core.tasks.patch(ada.id, id, 1))).length).toBe(MB)
  })

  it('is not lost when the store fails half-way: the newest stays, and the sweep removes what no row names', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await save(id, 1, 'transcript', 1)
    await core.runner.send(lease, 1, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, id, 'pending')
    await core.lease(id)
    // As a crash between the file's name and the commit would leave it, and one between the commit and the removal.
    await writeFile(join(folder(), `${id}-2.transcript`), 'half')
    await writeFile(join(folder(), `${id}-1.output.gone`), 'old')
    await writeFile(join(folder(), 'notes.txt'), 'of somebody else')
    expect((await text(await core.artifacts.openFor(id, 2, ['transcript']))).length).toBe(MB)
    // The server's own sweep after its start may have come first.
    await core.artifacts.sweep()
    expect(await stored()).toEqual(['notes.txt', `${id}-1.transcript`].sort())
    expect(await core.artifacts.sweep()).toBe(0)
  })

  it('survives a sweep while it arrives: its name may be there before its row', async () => {
    // Not the server's own folder: that one is swept soon after the start.
    const own = await mkdtemp(join(folder(), 'swept-'))
    const names = [`tsk_a-1.transcript`, `tsk_b-1.transcript`]
    for (const name of names) await writeFile(join(own, name), 'x')
    expect(await sweepFolder(core.db, own, new Set([names[0] ?? '']))).toBe(1)
    expect(await readdir(own)).toEqual([names[0]])
  })
})
