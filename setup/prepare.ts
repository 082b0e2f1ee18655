import { spawnSync } from 'node:child_process'
import { buildApp } from './app.ts'
import { findBaseImage } from './base-image.ts'
import { type Docker, findDocker } from './docker.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { type Command, runToEnd } from './processes.ts'
import { needTool } from './tools.ts'
import { buildWorkerImage } from './worker-image.ts'

export type Engine = Readonly<{ docker: Docker; base: string; image: string }>

/** Git (the coordinator serves the demo repository with it), a Docker engine, and the sandbox image on it. What was started for it is ended by `docker.stop`. */
export const prepareEngine = async (environment: Environment): Promise<Engine> => {
  needTool(['git'], ['git'])
  const docker = await findDocker(environment.variables.DOCKER_HOST || null)
  try {
    const base = findBaseImage()
    const extraCertificates = environment.variables.NODE_EXTRA_CA_CERTS || null
    return { docker, base: base.tag, image: await buildWorkerImage({ root: environment.root, base, extraCertificates }) }
  } catch (error) {
    await docker.stop()
    throw error
  }
}

/**
 * Runs a program that drives the real parts itself (the tests, the benchmark): Git, a Redis server's binary, a browser with
 * the app for it, and the engine are made ready first, and what was started for it is ended afterwards.
 * @returns the program's exit code
 */
export const runPrepared = async (command: Command, needs: { browser: boolean; compose: boolean }): Promise<number> => {
  // Without .env: a test run must not find a real key, nor somebody's server.
  const environment = readEnvironment(process.env)
  needTool(['redis-server'], ['redis-server'])
  if (needs.browser) {
    needTool(['chromium', 'chromium-browser', 'google-chrome'], ['chromium'])
    await buildApp(environment.root)
  }
  if (needs.compose && !hasComposePlugin()) needTool(['docker-compose'], ['docker-compose'])
  const { docker, base, image } = await prepareEngine(environment)
  try {
    const host = docker.host ? { DOCKER_HOST: docker.host } : {}
    return await runToEnd(command, { ...process.env, ...host, RUNNER_IMAGE: image, ERRAND_BASE_IMAGE: base }, environment.root)
  } finally {
    await docker.stop()
  }
}

const hasComposePlugin = (): boolean => spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
