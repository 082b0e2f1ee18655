import { spawnSync } from 'node:child_process'
import { buildApp } from '../build/app.ts'
import { findBaseImage } from '../build/base-image.ts'
import { buildWorkerImage } from '../build/worker-image.ts'
import { type Docker, findDocker } from '../docker/docker.ts'
import { needRunnerImage } from '../docker/docker-images.ts'
import { needBrowser, needTool } from '../machine/tools.ts'
import { type Command, runToEnd } from '../process/processes.ts'
import { type Environment, readEnvironment } from './environment.ts'

export type Engine = Readonly<{ docker: Docker; image: string }>

/**
 * Prepares git (the coordinator serves the demo repository with it), a Docker engine, and the sandbox image: the one that RUNNER_IMAGE
 * names, or one built from this repository. `docker.stop` ends what was started.
 */
export async function prepareEngine(environment: Environment): Promise<Engine> {
  await needTool(['git'], ['git'])
  const docker = await findDocker(environment.variables.DOCKER_HOST || null)
  try {
    return { docker, image: environment.image ? await needRunnerImage(environment.image) : await buildImage(environment) }
  } catch (error) {
    await docker.stop()
    throw error
  }
}

async function buildImage({ root, variables }: Environment): Promise<string> {
  return buildWorkerImage({ root, base: await findBaseImage(), extraCertificates: variables.NODE_EXTRA_CA_CERTS || null })
}

/**
 * Runs a program that starts the real parts itself (the tests, the benchmark). First prepares git, a Redis server, the engine and, if needed,
 * a browser with the app; afterwards ends what it started.
 * @returns the program's exit code
 */
export async function runPrepared(command: Command, needs: { browser: boolean; compose: boolean }): Promise<number> {
  // Without .env: a test run must not find a real key or somebody's server.
  const environment = readEnvironment(process.env)
  await needTool(['redis-server'], ['redis-server'])
  if (needs.browser) {
    await needBrowser()
    await buildApp(environment.root)
  }
  if (needs.compose && !hasComposePlugin()) await needTool(['docker-compose'], ['docker-compose'])
  // The tests need this repository's image, whatever RUNNER_IMAGE names.
  const { docker, image } = await prepareEngine({ ...environment, image: null })
  try {
    const base = (await findBaseImage()).tag
    const host = docker.host ? { DOCKER_HOST: docker.host } : {}
    return await runToEnd(command, { ...process.env, ...host, RUNNER_IMAGE: image, ERRAND_BASE_IMAGE: base }, environment.root)
  } finally {
    await docker.stop()
  }
}

function hasComposePlugin(): boolean {
  return spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
}
