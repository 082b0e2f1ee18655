import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { type StaffedCoordinator, startStaffedCoordinator } from '../../support/systems/coordinator.ts'

describe('the whole output of a tool call, as large as one is kept', () => {
  let staffed: StaffedCoordinator
  let url: string
  const whole = Buffer.from(`${'0123456789abcde\n'.repeat(LIMITS.outputBytes / 16)}`)

  beforeAll(async () => {
    staffed = await startStaffedCoordinator()
    const { coordinator, calls } = staffed
    await calls.renew([])
    const { id } = await coordinator.send({ repoUrl: coordinator.demoRepoUrl, prompt: 'x' })
    await calls.keep(await staffed.lease(id), 'output.toolu_1', whole)
    url = `${coordinator.url}/api/tasks/${id}/outputs/toolu_1`
  })
  afterAll(() => staffed.stop())

  const get = (range?: string) =>
    fetch(url, { headers: { authorization: `Bearer ${staffed.coordinator.ownerToken}`, ...(range ? { range } : {}) } })

  it('comes piece by piece, and the pieces make the whole', async () => {
    const pieces: Buffer[] = []
    const size = 1_000_000
    for (let from = 0; from < whole.length; from += size) {
      const response = await get(`bytes=${from}-${from + size - 1}`)
      const last = Math.min(from + size, whole.length) - 1
      expect([response.status, response.headers.get('content-range')]).toEqual([206, `bytes ${from}-${last}/${whole.length}`])
      pieces.push(Buffer.from(await response.arrayBuffer()))
    }
    expect(Buffer.concat(pieces).equals(whole)).toBe(true)
  })

  it('comes from its end, and as a whole', async () => {
    expect(await (await get('bytes=-16')).text()).toBe('0123456789abcde\n')
    const all = await get()
    expect([all.status, all.headers.get('accept-ranges')]).toEqual([200, 'bytes'])
    expect(Buffer.from(await all.arrayBuffer()).equals(whole)).toBe(true)
  })

  it('says how long it is to who asks beyond its end', async () => {
    const response = await get(`bytes=${whole.length}-`)
    expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
  })
})
