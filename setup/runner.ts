import { join } from 'node:path'
import { type Environment, loadDotEnv, readEnvironment } from './environment.ts'
import { prepareEngine } from './prepare.ts'
import { keepRunning, nodeCommand } from './processes.ts'
import { runnerFolder } from './runner-folder.ts'
import { stopSignals } from './stop-signals.ts'

const STOP_MS = 45_000

/** `npm run runner`: one more runner on this host, for a coordinator somewhere else. @returns the exit code */
export const main = async (): Promise<number> => {
  loadDotEnv()
  const environment = readEnvironment(process.env)
  requireCoordinator(environment)
  const signals = stopSignals()
  const engine = await prepareEngine(environment)
  try {
    if (signals.stop.aborted) return 0
    const runner = keepRunning({
      name: 'runner',
      command: nodeCommand('runner/main.ts'),
      variables: {
        RUNNER_DATA_DIR: runnerFolder(join(environment.dataDir, 'joined')),
        ...environment.variables,
        ...(engine.docker.host ? { DOCKER_HOST: engine.docker.host } : {}),
        RUNNER_IMAGE: engine.image,
      },
      folder: environment.root,
      write: (line) => console.log(line),
      started: () => undefined,
    })
    console.log(
      `A runner for ${environment.variables.COORDINATOR_URL} is starting; Ctrl-C lets its agents save their work first.`,
    )
    await signals.stopped
    await runner.stop(STOP_MS, signals.force)
  } finally {
    await engine.docker.stop()
  }
  return 0
}

const requireCoordinator = ({ variables }: Environment): void => {
  const missing = ['COORDINATOR_URL', 'REDIS_URL'].filter((name) => !variables[name])
  if (!variables.RUNNER_TOKEN && !variables.RUNNER_TOKEN_FILE) missing.push('RUNNER_TOKEN')
  if (missing.length === 0) return
  throw new Error(
    `A runner on its own needs ${missing.join(', ')}. The token is in the coordinator's data folder (.errand/runner-token), unless RUNNER_TOKEN is set there.`,
  )
}
