import { nodeCommand } from '../process/processes.ts'
import { runPrepared } from '../stack/prepare.ts'

/** `npm run bench` measures the river, `npm run bench:app` the app in a browser. Prepares the machine first. @returns the exit code */
export function main([what]: readonly string[]): Promise<number> {
  return what === 'app'
    ? runPrepared(nodeCommand('test/bench/app/bench.ts'), { browser: true, compose: false })
    : runPrepared(nodeCommand('test/bench/bench.ts'), { browser: false, compose: false })
}
