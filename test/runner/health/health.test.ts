import { readdir } from 'node:fs/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { checkDisk } from '../../../runner/health/check-disk.ts'
import { type Health, restMs, watchHealth } from '../../../runner/health/health.ts'
import { EngineFault } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

function interrupted(reason: 'engine_unavailable' | 'runner_stopped' | 'runner_lost') {
  return { outcome: 'interrupted', reason, message: 'seen' } as const
}
const done = { outcome: 'completed', reason: 'done', message: null } as const

describe('the health of a host', () => {
  let health: Health
  let fault: Error | null = null
  let looks = 0
  let changes: string[] = []
  afterEach(() => health.stop())

  const watch = (options: { lookAgainMs?: number; checkMs?: number; check?: () => Promise<void> } = {}) => {
    ;[fault, looks, changes] = [null, 0, []]
    const check = async () => {
      looks += 1
      if (fault) throw fault
    }
    const onChange: Parameters<typeof watchHealth>[0]['onChange'] = (unwell) => changes.push(unwell?.reason ?? 'well')
    health = watchHealth({ check, onChange, log: pino({ level: 'silent' }), lookAgainMs: 5, ...options })
  }

  it('is looked at before a turn is taken, and while it is bad until it is well', async () => {
    watch()
    expect(await health.mayTake()).toBe(true)
    fault = new EngineFault('image_missing', 'no such image')
    expect([await health.mayTake(), health.unwell()]).toEqual([false, { reason: 'image_missing', message: 'no such image' }])
    const seen = looks
    await waitFor('more looks', () => looks >= seen + 3)
    expect(await health.mayTake()).toBe(false)
    fault = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
    await waitFor('the new fault', () => health.unwell()?.reason === 'runner_unwell')
    fault = null
    await waitFor('it to be well', () => !health.unwell())
    expect(await health.mayTake()).toBe(true)
    expect(changes).toEqual(['image_missing', 'runner_unwell', 'well'])
  })

  it('is bad after an attempt that the host interrupted, although its check sees nothing', async () => {
    watch({ lookAgainMs: 20 })
    health.ended(interrupted('engine_unavailable'))
    expect([await health.mayTake(), looks]).toEqual([false, 0])
    await waitFor('it to be well', () => !health.unwell())
    expect(looks).toBe(1)
    health.ended(interrupted('runner_stopped'))
    health.failed(new Error('EACCES'))
    expect(health.unwell()).toEqual({ reason: 'runner_unwell', message: 'EACCES' })
  })

  it('is not told by what is not the host’s doing', () => {
    watch()
    health.ended(done)
    health.ended(interrupted('runner_lost'))
    expect(health.unwell()).toBeUndefined()
  })

  it('rests twice as long after each fault in a row, ten minutes at most, and anew after an attempt that went well', async () => {
    expect([1, 2, 3, 4, 9].map((faults) => restMs(faults) / 1_000)).toEqual([5, 10, 20, 40, 600])
    watch({ lookAgainMs: 40 })
    const rest = async () => {
      const since = performance.now()
      health.ended(interrupted('engine_unavailable'))
      await waitFor('it to be well', () => !health.unwell(), 10_000, 1)
      return performance.now() - since
    }
    expect(await rest()).toBeGreaterThanOrEqual(39)
    expect(await rest()).toBeGreaterThanOrEqual(79)
    expect(await rest()).toBeGreaterThanOrEqual(159)
  })

  it('is bad when the check itself hangs', async () => {
    watch({ checkMs: 10, check: () => new Promise(() => undefined) })
    expect([await health.mayTake(), health.unwell()?.reason]).toEqual([false, 'engine_unavailable'])
  })
})

describe('the disk', () => {
  it('must have room, and take a file', async () => {
    const folder = await temporaryFolder()
    await checkDisk([folder.path], 1)
    await expect(checkDisk([folder.path], Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      reason: 'host_disk_full',
      message: expect.stringContaining(folder.path),
    })
    await expect(checkDisk([`${folder.path}/gone`], 1)).rejects.toThrow('ENOENT')
    expect(await readdir(folder.path)).toEqual([])
    await folder.remove()
  })
})
