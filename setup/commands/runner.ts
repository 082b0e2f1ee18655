import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { programCommand } from '../build/program.ts'
import { claim } from '../process/claims.ts'
import { endLeftOvers, leftOvers, partVariable } from '../process/left-overs.ts'
import { keepRunning } from '../process/processes.ts'
import { stopSignals } from '../process/stop-signals.ts'
import { type Environment, loadDotEnv, readEnvironment, runnerFolder } from '../stack/environment.ts'
import { prepareEngine } from '../stack/prepare.ts'

const STOP_MS = 45_000

/** `npm run runner`: adds a runner on this host for a coordinator elsewhere. @returns the exit code */
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
 * Ends the runner that a killed `npm run runner` left behind: two runners in one folder would take each other's sandboxes.
 * @param others pids of living processes with this folder
 */
async function takeOver(folder: string, others: readonly number[]): Promise<void> {
  if (others.length > 0)
    throw new Error(
      `Another npm run runner (pid ${others.join(', ')}) uses ${folder}. For one more runner on this host, set RUNNER_DATA_DIR to another folder.`,
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
      command: await programCommand(environment.root, 'runner'),
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
      `A runner for ${environment.variables.COORDINATOR_URL} is starting. Ctrl-C stops it after its agents have saved their work.`,
    )
    await signals.stopped
    await runner.stop(STOP_MS, signals.force, signals.isRestart() && !engine.docker.isOurs() ? 'SIGTERM' : 'SIGINT')
  } finally {
    await engine.docker.stop()
  }
}

function requireCoordinator({ variables }: Environment): void {
  const missing = ['COORDINATOR_URL', 'REDIS_URL'].filter((name) => !variables[name])
  if (!variables.RUNNER_TOKEN && !variables.RUNNER_TOKEN_FILE) missing.push('RUNNER_TOKEN')
  if (missing.length === 0) return
  throw new Error(
    `A separate runner also needs ${missing.join(', ')}. The token is in the coordinator's data folder (.errand/runner-token), unless RUNNER_TOKEN is set there.`,
  )
}
