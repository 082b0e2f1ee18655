import { readConfig } from './process/config.ts'
import { createLog } from './process/log.ts'
import { start } from './start.ts'

/** Handles signals and exit codes; everything else is in `start.ts`. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = createLog(config)
  // Listen from the beginning: a signal during the start stops what has been opened.
  const asked = heardSignal()
  const coordinator = await start(config, log)
  log.info({ event: 'coordinator.stopping', signal: await asked })
  await coordinator.stop()
  log.info({ event: 'coordinator.stopped' })
}

function heardSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let heard = 0
    const hear = (signal: NodeJS.Signals) => {
      // After a second signal, do not wait.
      if (++heard > 1) process.exit(1)
      resolve(signal)
    }
    process.on('SIGTERM', hear).on('SIGINT', hear)
  })
}

/** Prints only the message, which says what to do: a stack helps nobody who starts a server. */
function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

main().catch(fail)
