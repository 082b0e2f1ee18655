import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { claim } from '../process/claims.ts'
import { endLeftOvers, leftOvers, partVariable } from '../process/left-overs.ts'
import { keepRunning, nodeCommand } from '../process/processes.ts'
import { stopSignals } from '../process/stop-signals.ts'
import { type Environment, loadDotEnv, readEnvironment } from '../stack/environment.ts'
import { prepareEngine } from '../stack/prepare.ts'
import { runnerFolder } from '../stack/runner-folder.ts'

const STOP_MS = 45_000

/** `npm run runner`: one more runner on this host, for a coordinator somewhere else. @returns the exit code */
export async function main(): Promise<number> {
  loadDotEnv()
  const environment = readEnvironment(process.env)
  requireCoordinator(environment)
  const folder = resolve(
    environment.root,
    environment.variables.RUNNER_DATA_DIR || runnerFolder(join(environment.dataDir, 'joined')),
  )
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const start = claim(join(folder, 'starts'))
  try {
    await takeOver(folder, start.others())
    await prepareAndRun(environment, folder)
  } finally {
    start.release()
  }
  return 0
}

/**
 * After an `npm run runner` that was killed, the runner that it left is ended: two in one folder would take each other's sandboxes.
 * @param others pids of living ones with this folder
 */
async function takeOver(folder: string, others: readonly number[]): Promise<void> {
  if (others.length > 0)
    throw new Error(
      `Another npm run runner (pid ${others.join(', ')}) works in ${folder}. Set RUNNER_DATA_DIR to another folder for one more runner on this host.`,
    )
  const left = leftOvers(folder)
  if (left.length > 0) console.log('Stopping the runner that an earlier npm run runner left behind.')
  await endLeftOvers(left)
}

async function prepareAndRun(environment: Environment, folder: string): Promise<void> {
  const signals = stopSignals()
  const engine = await prepareEngine(environment)
  try {
    if (signals.stop.aborted) return
    const runner = keepRunning({
      name: 'runner',
      command: nodeCommand('runner/main.ts'),
      variables: {
        ...environment.variables,
        RUNNER_DATA_DIR: folder,
        ...(engine.docker.host ? { DOCKER_HOST: engine.docker.host } : {}),
        RUNNER_IMAGE: engine.image,
        ...partVariable('runner', folder),
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
}

function requireCoordinator({ variables }: Environment): void {
  const missing = ['COORDINATOR_URL', 'REDIS_URL'].filter((name) => !variables[name])
  if (!variables.RUNNER_TOKEN && !variables.RUNNER_TOKEN_FILE) missing.push('RUNNER_TOKEN')
  if (missing.length === 0) return
  throw new Error(
    `A runner on its own needs ${missing.join(', ')}. The token is in the coordinator's data folder (.errand/runner-token), unless RUNNER_TOKEN is set there.`,
  )
}
