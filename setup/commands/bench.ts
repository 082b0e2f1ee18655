import { type Command, nodeCommand } from '../process/processes.ts'
import { runPrepared } from '../stack/prepare.ts'

/**
 * `npm run bench` measures the river, `npm run bench:app` the app in a browser, `npm run live` how well the agent does ten small tasks,
 * `npm run test:faults` whether anything is lost when everything dies. Prepares the machine first. @returns the exit code
 */
export function main([what, ...words]: readonly string[]): Promise<number> {
  return runPrepared(commandFor(what, words), { browser: what === 'app', compose: false })
}

function commandFor(what: string | undefined, words: readonly string[]): Command {
  switch (what) {
    case 'app':
      return nodeCommand('test/bench/app/bench.ts')
    case 'live':
      // Ctrl-C reaches it alone, so that it stops its processes in order.
      return { ...nodeCommand('test/live/live.ts', ...words), ownGroup: true }
    case 'faults':
      return { ...nodeCommand('test/faults/faults.ts', ...words), ownGroup: true }
    default:
      return nodeCommand('test/bench/bench.ts')
  }
}
