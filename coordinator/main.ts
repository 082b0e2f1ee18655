import { readConfig } from './config.ts'
import { createLog } from './log.ts'
import { start } from './start.ts'

/** Signals and exit codes; everything else is `start.ts`. */
const main = async (): Promise<void> => {
  const config = readConfig(process.env)
  const log = createLog(config)
  const coordinator = await start(config, log)
  let isStopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      // The second one is from somebody who does not want to wait.
      if (isStopping) process.exit(1)
      isStopping = true
      log.info({ event: 'coordinator.stopping', signal })
      coordinator.stop().then(
        () => log.info({ event: 'coordinator.stopped' }),
        (error) => fail(error),
      )
    })
}

/** What to do is in the message; where it was thrown helps nobody who starts a server. */
const fail = (error: unknown): void => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

main().catch(fail)
