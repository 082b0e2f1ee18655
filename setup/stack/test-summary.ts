import { z } from 'zod'

/** The numbers of Jest's `--json` report that we read. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  /** Files that failed before or outside any test of theirs. */
  numRuntimeErrorTestSuites: z.number(),
})

export type Counts = { passed: number; failed: number }

/**
 * @param report Jest's JSON report; null when it wrote none
 * @param exitCode Jest's; when it is not 0 although no test failed, the run itself counts as one failure
 */
export function countTests(report: string | null, exitCode: number): Counts {
  if (report === null) return { passed: 0, failed: 1 }
  const { numPassedTests: passed, numFailedTests, numRuntimeErrorTestSuites } = Report.parse(JSON.parse(report))
  const failed = numFailedTests + numRuntimeErrorTestSuites
  return { passed, failed: exitCode !== 0 ? Math.max(failed, 1) : failed }
}

export function summary({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`
}
