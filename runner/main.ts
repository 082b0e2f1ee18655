import { readConfig } from './process/config.ts'
import { start } from './start.ts'

/**
 * Signals and exit codes; everything else is in `start`. SIGTERM is a restart: the sandboxes run on for the next process. SIGINT is for good:
 * the agents save their work. A second signal of the same kind waits for nothing.
 */
async function main(): Promise<void> {
  const runner = await start(readConfig(process.env))
  const heard = new Set<NodeJS.Signals>()
  const stop = (signal: NodeJS.Signals) => {
    const how = heard.has(signal) ? 'now' : signal === 'SIGTERM' ? 'leave' : 'drain'
    heard.add(signal)
    runner.stop(how).then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

main().catch(fail)
