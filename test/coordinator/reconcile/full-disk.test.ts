import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { Task } from '../../../contract/api/api.ts'
import type { Overview } from '../../../contract/api/overview.ts'
import { createDiskSpace } from '../../../coordinator/process/disk-space.ts'
import { createCoordinatorClient } from '../../../runner/lease/coordinator-client.ts'
import { proveHolder } from '../../../runner/river/signatures.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type StaffedCoordinator, startStaffedCoordinator } from '../../support/systems/coordinator.ts'
import { smallDisk, type TemporaryFolder } from '../../support/systems/temporary.ts'

const MB = 1024 * 1024
const DISK_MB = 200
/** A quarter of it. */
const FLOOR_MB = 50

describe('a disk of 200 MB', () => {
  let disk: TemporaryFolder
  let staffed: StaffedCoordinator
  beforeAll(async () => {
    disk = await smallDisk(DISK_MB)
    staffed = await startStaffedCoordinator({ dataDir: join(disk.path, 'data') }, 20)
  })
  afterAll(async () => {
    await staffed?.stop()
    await disk.remove()
  })

  const ballast = () => join(disk.path, 'ballast')
  /** Leaves this much free. */
  const fill = async (freeMb: number) => {
    const { freeBytes } = await createDiskSpace([disk.path], 0).look()
    const chunk = Buffer.alloc(MB)
    const file = await open(ballast(), 'a')
    for (let free = freeBytes; free > freeMb * MB; free -= MB) await file.write(chunk)
    await file.close()
  }
  const ready = async () => {
    const response = await fetch(`${staffed.coordinator.url}/readyz`)
    return [response.status, await response.json()]
  }
  const body = (prompt: string) => ({ repoUrl: staffed.coordinator.demoRepoUrl, prompt })

  it('that is almost full takes nothing new, says so everywhere, ends what it accepted, and all is well when space is back', async () => {
    const { coordinator, runner, calls } = staffed
    await calls.renew([])
    const running = await coordinator.send(body('running'))
    const lease = await staffed.lease(running.id)
    const waiting = await coordinator.send(body('waiting'))
    const queued = await runner.job(waiting.id)
    const ended = await coordinator.send(body('ended'))
    await coordinator.ask(`/api/tasks/${ended.id}/cancel`, {})
    expect(await ready()).toEqual([200, { status: 'ready', store: true, redis: true, disk: true }])

    await fill(FLOOR_MB - 10)
    await waitFor(
      'the waiting task to say why',
      async () => (await coordinator.task(waiting.id)).reason === 'coordinator_disk_full',
    )
    expect((await coordinator.task(waiting.id)).reasonText).toMatch(/disk of this server is almost full.*administrator/)
    const refusal = {
      status: 503,
      body: { error: { code: 'unavailable', message: expect.stringMatching(/disk.*free some space/) } },
    }
    const post = (path: string, given: object) => coordinator.api(path, { method: 'POST', body: given })
    expect(await post('/api/tasks', body('new'))).toMatchObject(refusal)
    expect(await post(`/api/tasks/${ended.id}/retry`, {})).toMatchObject(refusal)
    const message = (clientId: string) => ({ text: 'Also', mode: 'steer', clientId })
    expect(await post(`/api/tasks/${ended.id}/messages`, message('a'))).toMatchObject(refusal)
    await expect(calls.lease(queued)).rejects.toThrow('no_room')
    const client = createCoordinatorClient({
      url: coordinator.url,
      token: coordinator.runnerToken,
      proofOf: (taskId, attempt) => proveHolder(lease.signingKey, taskId, attempt),
      log: pino({ level: 'silent' }),
    })
    await expect(client.saveArtifact(running.id, 1, 'output.a', Readable.from(['x']))).rejects.toMatchObject({
      status: 503,
      sentence: expect.stringMatching(/^The disk of this server is almost full/),
    })
    expect(await ready()).toEqual([200, { status: 'ready', store: true, redis: true, disk: false }])
    const room = /errand_disk_room_bytes (-?\d+)/.exec(await (await fetch(`${coordinator.url}/metrics`)).text())?.[1]
    expect(Number(room)).toBeLessThan(0)
    const { disk: shown } = await coordinator.ask<Overview>('/api/admin/overview')
    expect(shown).toMatchObject({ low: true, floorBytes: FLOOR_MB * MB, totalBytes: DISK_MB * MB })

    // What was accepted goes on: messages, the work itself, the end. Reads work.
    expect(await post(`/api/tasks/${running.id}/messages`, message('b'))).toMatchObject({ status: 201 })
    await calls.keep(lease, 'bundle', 'the work')
    await calls.keep(lease, 'transcript', '{}')
    await runner.deliver(lease, 1, attemptEnded())
    expect((await coordinator.events(running.id)).map(({ type }) => type)).toContain('task.ended')
    expect((await coordinator.ask<{ items: Task[] }>('/api/tasks')).items).toHaveLength(3)

    await rm(ballast())
    await waitFor('the waiting task to wait for its runner', async () => (await coordinator.task(waiting.id)).reason === 'queued')
    expect((await calls.lease(queued)).taskId).toBe(waiting.id)
    expect((await coordinator.send(body('new'))).status).toBe('pending')
    expect((await ready())[1]).toMatchObject({ disk: true })
  })

  it('that is quite full refuses in words, keeps nothing partial, and loses nothing that it has', async () => {
    const { coordinator, calls, runner } = staffed
    const { id } = await coordinator.send(body('work'))
    const lease = await staffed.lease(id)
    await calls.keep(lease, 'bundle', 'earlier')
    await fill(20)
    const large = new Uint8Array(30 * MB)
    await expect(calls.keep(lease, 'bundle', large)).rejects.toThrow(/503.*must free some space/)
    const bundle = await fetch(`${coordinator.url}/api/tasks/${id}/bundle`, {
      headers: { authorization: `Bearer ${coordinator.ownerToken}` },
    })
    expect(await bundle.text()).toBe('earlier')
    expect((await createDiskSpace([disk.path], 0).look()).freeBytes).toBeGreaterThan(15 * MB)
    await rm(ballast())
    await calls.keep(lease, 'bundle', large)
    await runner.deliver(lease, 1, attemptEnded())
    expect((await coordinator.ended(id)).status).toBe('completed')
  })
})

describe('the floor', () => {
  it('is the least of what was set and a quarter of the disk, and counts for the fuller of two disks', async () => {
    const [small, other] = [await smallDisk(40), await smallDisk(400)]
    try {
      const look = (mb: number) => createDiskSpace([other.path, small.path], mb * MB, 0).look()
      expect(await look(512)).toMatchObject({ floorBytes: 10 * MB, totalBytes: 40 * MB, low: false })
      await writeFile(join(small.path, 'x'), Buffer.alloc(35 * MB))
      expect(await look(512)).toMatchObject({ totalBytes: 40 * MB, low: true })
      expect(await look(2)).toMatchObject({ floorBytes: 2 * MB, low: false })
    } finally {
      await small.remove()
      await other.remove()
    }
  })
})
