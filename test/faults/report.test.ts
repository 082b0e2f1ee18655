import { describe, expect, it } from '@jest/globals'
import type { SeenTask } from './oracle/seen.ts'
import { type Outcome, reportOf } from './report.ts'
import { longestSilence } from './run-scenario.ts'

const TASK = { stored: { status: 'completed', reason: 'done', attempts: [{}], events: [{}, {}] } } as unknown as SeenTask
const OUTCOME: Outcome = {
  title: 'Soak',
  seed: 7,
  seconds: 60,
  faults: new Map([['kill-runner', { times: 2, silences: [1_000, 2_000, 9_000] }]]),
  tasks: [TASK, TASK],
  violations: [],
}

describe('the report', () => {
  it('has the seed, the counts by kind, the ends, the attempts and how long readers waited', () => {
    const text = reportOf(OUTCOME)
    expect(text).toContain('Seed 7, 60 s, 2 faults, 2 tasks, 4 events, 0 violations.')
    expect(text).toMatch(/\| kill-runner \| +2 \| +2\.0 s \| 9\.0 s \| 9\.0 s \|/)
    expect(text).toMatch(/\| completed \(done\) \| +2 \|/)
    expect(text).toContain('No violation.')
  })

  it('names each violation', () => {
    expect(reportOf({ ...OUTCOME, violations: ['a container is left: x'] })).toContain('- a container is left: x')
  })
})

describe('the longest silence of a reader', () => {
  it('begins with the last event before the fault', () => {
    expect(longestSilence([100, 900, 5_000, 5_100], 1_000)).toBe(4_100)
    expect(longestSilence([2_000, 2_100], 1_000)).toBe(1_000)
    expect(longestSilence([100], 1_000)).toBe(0)
  })

  it('belongs to a fault only if it began before that was over', () => {
    expect(longestSilence([900, 1_500, 9_000], 1_000, 1_400)).toBe(600)
    expect(longestSilence([900, 1_500, 9_000], 1_000, 1_600)).toBe(7_500)
  })
})
