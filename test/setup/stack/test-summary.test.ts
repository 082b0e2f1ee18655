import { describe, expect, it } from '@jest/globals'
import { countTests, summary } from '../../../setup/stack/test-summary.ts'

function report(passed: number, failed: number, broken = 0) {
  return JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: broken, success: false })
}

describe('the last line of a test run', () => {
  it('counts tests, and files that failed outside of any test', () => {
    expect(summary(countTests(report(12, 0), 0))).toBe('12 passed, 0 failed')
    expect(summary(countTests(report(12, 2, 1), 1))).toBe('12 passed, 3 failed')
  })

  it('never says that nothing failed when the run itself did', () => {
    expect(countTests(report(12, 0), 1)).toEqual({ passed: 12, failed: 1 })
    expect(countTests(null, 0)).toEqual({ passed: 0, failed: 1 })
  })
})
