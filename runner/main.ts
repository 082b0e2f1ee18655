import { readConfig } from './process/config.ts'
import { start } from './start.ts'

/** Signals and exit codes; everything else is in `start`. The first signal drains, the second one waits for nothing. */
async function main(): Promise<void> {
  const runner = await start(readConfig(process.env))
  let asked = false
  const stop = () => {
    const drain = !asked
    asked = true
    runner.stop({ drain }).then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

main().catch(fail)
