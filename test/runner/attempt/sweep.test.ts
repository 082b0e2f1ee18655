import { once } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { startSweep } from '../../../runner/attempt/sweep.ts'
import { waitFor } from '../../support/checks/wait.ts'

describe('the sweep', () => {
  it('tries again what the engine refused, and spares the attempts under way', async () => {
    let left = ['t1/1', 't1/2']
    let asked = 0
    const removeLeftovers = async (isUnderWay: (taskId: string, attempt: number) => boolean) => {
      asked += 1
      if (asked === 1) throw new Error('the engine hangs')
      const before = left.length
      left = left.filter((name) => isUnderWay(name.split('/')[0] ?? '', Number(name.split('/')[1])))
      return before - left.length
    }
    const sweep = startSweep({ engine: { removeLeftovers }, log: pino({ level: 'silent' }), everyMs: 5 })
    const end = new AbortController()
    const running = sweep.during('t1', 2, () => once(end.signal, 'abort'))
    await waitFor('the first to go', () => left.length === 1)
    const seen = asked
    await waitFor('two more rounds', () => asked >= seen + 2)
    expect(left).toEqual(['t1/2'])
    end.abort()
    await running
    await waitFor('the second to go', () => left.length === 0)
    await sweep.stop()
    const stopped = asked
    await new Promise((done) => setImmediate(done))
    expect(asked).toBe(stopped)
  })
})
