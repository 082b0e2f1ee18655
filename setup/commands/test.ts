import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPrepared } from '../stack/prepare.ts'
import { countTests, summary } from '../stack/test-summary.ts'

/**
 * `npm test`: makes the machine ready, runs every test (or those that the arguments name, as Jest takes them), and ends with the line
 * `N passed, N failed`. @returns the exit code; 0 only when nothing failed
 */
export async function main(args: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'errand-jest-'))
  const report = join(folder, 'report.json')
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', join('node_modules', 'jest', 'bin', 'jest.js')]
    const command = { file: process.execPath, args: [...jest, '--json', `--outputFile=${report}`, ...args] }
    const code = await runPrepared(command, { browser: true, compose: true })
    const counts = countTests(await readFile(report, 'utf8').catch(() => null), code)
    console.log(`\n${summary(counts)}`)
    return code !== 0 || counts.failed > 0 ? Math.max(code, 1) : 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
