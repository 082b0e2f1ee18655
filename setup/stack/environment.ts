import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RUNNER_FOLDER_BYTES } from '../../contract/wire/names.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** What the set-up itself reads from the environment. It passes on the rest unread. */
export type Environment = Readonly<{
  root: string
  dataDir: string
  host: string
  /** 0: any free port. */
  port: number
  redisUrl: string | null
  model: string | null
  hasModelKey: boolean
  slots: string | null
  /** RUNNER_IMAGE: the image for sandboxes, instead of the one that the set-up builds. */
  image: string | null
  variables: Variables
}>

/** The repository's root. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Reads `.env` at the root into the process's environment. Variables that are already set win. */
export function loadDotEnv(): void {
  const file = join(ROOT, '.env')
  if (existsSync(file)) process.loadEnvFile(file)
}

export function readEnvironment(variables: Variables): Environment {
  return {
    root: ROOT,
    dataDir: resolve(ROOT, variables.ERRAND_DATA_DIR || '.errand'),
    host: variables.ERRAND_HOST || '127.0.0.1',
    port: readPort(variables.ERRAND_PORT || '3000'),
    redisUrl: variables.REDIS_URL || null,
    model: variables.ERRAND_MODEL || null,
    hasModelKey: Boolean(variables.ANTHROPIC_API_KEY),
    slots: variables.RUNNER_SLOTS || null,
    image: variables.RUNNER_IMAGE || null,
    variables,
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`ERRAND_PORT is "${text}"; it must be a number from 0 to 65535.`)
}

/** What the set-up found or started on this machine. */
export type Found = Readonly<{
  port: number
  redisUrl: string
  dockerHost: string | null
  image: string
  npmRegistry: string | null
  prettyLog: boolean
}>

export function coordinatorVariables(environment: Environment, found: Found): Variables {
  return {
    ERRAND_LOG_PRETTY: String(found.prettyLog),
    ...environment.variables,
    ERRAND_DATA_DIR: environment.dataDir,
    ERRAND_PORT: String(found.port),
    REDIS_URL: found.redisUrl,
    // A variable of Docker Compose; the same .env may serve both.
    ERRAND_LISTEN: undefined,
  }
}

/** A runner gets a task's secrets with the lease, so it starts without the coordinator's secrets. */
const COORDINATOR_SECRETS = [
  'ANTHROPIC_API_KEY',
  'ERRAND_SECRET_KEY',
  'ERRAND_BACKUP_KEY',
  'GITHUB_CLIENT_SECRET',
  'DATABASE_URL',
] as const

export function runnerVariables(environment: Environment, found: Found): Variables {
  const variables: Record<string, string | undefined> = {
    ERRAND_LOG_PRETTY: String(found.prettyLog),
    RUNNER_NAME: hostname(),
    RUNNER_DATA_DIR: runnerFolder(environment.dataDir),
    ...(found.npmRegistry ? { RUNNER_NPM_REGISTRY: found.npmRegistry } : {}),
    ...environment.variables,
    RUNNER_TOKEN_FILE: environment.variables.RUNNER_TOKEN_FILE || join(environment.dataDir, 'runner-token'),
    ...(found.dockerHost ? { DOCKER_HOST: found.dockerHost } : {}),
    COORDINATOR_URL: localUrl(environment.host, found.port),
    REDIS_URL: found.redisUrl,
    RUNNER_IMAGE: found.image,
  }
  for (const name of COORDINATOR_SECRETS) delete variables[name]
  return variables
}

/** The address at which this machine reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** @returns the runner's folder below the data folder, or a short path that survives reboots if that one is too long for sockets */
export function runnerFolder(dataDir: string): string {
  const folder = join(dataDir, 'runner')
  if (Buffer.byteLength(folder) <= RUNNER_FOLDER_BYTES) return folder
  return join('/var/tmp', `errand-runner-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`)
}
