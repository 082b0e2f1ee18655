import { describe, expect, it } from '@jest/globals'
import { readReport, summaryOf } from '../../../setup/commands/test.ts'

/** Jest's report on tests that passed after so many invocations. */
function report(invocations: readonly number[], failed = 0): string {
  const assertionResults = invocations.map((count, n) => ({ fullName: `test ${n}`, status: 'passed', invocations: count }))
  const file = (name: string, endTime: number) => ({
    name: `${process.cwd()}/test/${name}`,
    startTime: 0,
    endTime,
    assertionResults: [],
  })
  return JSON.stringify({
    numPassedTests: invocations.length,
    numFailedTests: failed,
    numRuntimeErrorTestSuites: 0,
    testResults: [file('quick.test.ts', 100), { ...file('slow.test.ts', 61_200), assertionResults }],
  })
}

describe('the end of npm test', () => {
  it('counts tests, and the run itself when it failed outside of them', () => {
    expect(readReport(report([1, 1]), 0)).toMatchObject({ passed: 2, failed: 0 })
    expect(readReport(report([1, 1], 3), 1)).toMatchObject({ passed: 2, failed: 3 })
    expect(readReport(report([1]), 1)).toMatchObject({ passed: 1, failed: 1 })
    expect(readReport(null, 0)).toMatchObject({ passed: 0, failed: 1 })
  })

  it('names the tests that needed a second try, and fails when there are more than two', () => {
    expect(readReport(report([2, 1, 2]), 0)).toMatchObject({ failed: 0, secondTries: ['test 0', 'test 2'] })
    expect(readReport(report([2, 2, 2]), 0)).toMatchObject({ failed: 1 })
    expect(summaryOf(readReport(report([2, 1]), 0))).toContain('Second tries: 1\n  test 0')
  })

  it('lists the slowest files, and ends with the counts alone on a line', () => {
    const lines = summaryOf(readReport(report([1]), 0)).split('\n')
    expect(lines.slice(0, 2)).toEqual(['The slowest files:', '    61.2 s  test/slow.test.ts'])
    expect(lines.slice(-3)).toEqual(['Second tries: none', '', '1 passed, 0 failed'])
  })
})
