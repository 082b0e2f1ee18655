import { runPrepared } from './prepare.ts'
import { nodeCommand } from './processes.ts'

/** `npm run bench`: makes the machine ready, then measures. @returns the exit code */
export const main = (args: readonly string[]): Promise<number> =>
  runPrepared(nodeCommand('test/bench/bench.ts', ...args), { browser: false, compose: false })
