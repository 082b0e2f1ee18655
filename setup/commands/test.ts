import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import * as z from 'zod'
import { runPrepared } from '../stack/prepare.ts'

/** How many tests of one run may need a second try before the run fails: more than this is no bad luck. */
const MOST_SECOND_TRIES = 2
const SLOWEST_SHOWN = 10

/**
 * `npm test`: prepares the machine, runs every test (or those that the arguments name, as Jest takes them), and ends with the line
 * `N passed, N failed`. @returns the exit code; 0 only if nothing failed
 */
export async function main(args: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'errand-jest-'))
  const report = join(folder, 'report.json')
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', join('node_modules', 'jest', 'bin', 'jest.js')]
    const command = { file: process.execPath, args: [...jest, '--json', `--outputFile=${report}`, ...args] }
    const code = await runPrepared(command, { browser: true, compose: true })
    const result = readReport(await readFile(report, 'utf8').catch(() => null), code)
    console.log(`\n${summaryOf(result)}`)
    return code !== 0 || result.failed > 0 ? Math.max(code, 1) : 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The parts of Jest's `--json` report that we read. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  /** Files that failed outside their tests. */
  numRuntimeErrorTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), invocations: z.number().optional() })),
    }),
  ),
})

export type Result = {
  passed: number
  failed: number
  /** The names of the tests that passed only at a second try. */
  secondTries: string[]
  /** The slowest files first. */
  files: { file: string; seconds: number }[]
}

/**
 * @param report Jest's JSON report; null if it wrote none
 * @param exitCode Jest's; if it is not 0 although no test failed, the run itself counts as one failure
 */
export function readReport(report: string | null, exitCode: number): Result {
  if (report === null) return { passed: 0, failed: 1, secondTries: [], files: [] }
  const { numPassedTests: passed, numFailedTests, numRuntimeErrorTestSuites, testResults } = Report.parse(JSON.parse(report))
  const secondTries = testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status, invocations = 1 }) => status === 'passed' && invocations > 1)
      .map(({ fullName }) => fullName),
  )
  const failed = numFailedTests + numRuntimeErrorTestSuites + Math.max(0, secondTries.length - MOST_SECOND_TRIES)
  const files = testResults
    .map(({ name, startTime, endTime }) => ({ file: relative(process.cwd(), name), seconds: (endTime - startTime) / 1000 }))
    .sort((a, b) => b.seconds - a.seconds)
  return { passed, failed: exitCode !== 0 ? Math.max(failed, 1) : failed, secondTries, files }
}

export function summaryOf({ passed, failed, secondTries, files }: Result): string {
  const slowest = files.slice(0, SLOWEST_SHOWN).map(({ file, seconds }) => `  ${seconds.toFixed(1).padStart(6)} s  ${file}`)
  return [
    ...(files.length > 1 ? ['The slowest files:', ...slowest, ''] : []),
    `Second tries: ${secondTries.length || 'none'}${secondTries.length > MOST_SECOND_TRIES ? `; more than ${MOST_SECOND_TRIES} count as failures` : ''}`,
    ...secondTries.map((name) => `  ${name}`),
    '',
    `${passed} passed, ${failed} failed`,
  ].join('\n')
}
