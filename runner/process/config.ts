import { availableParallelism, hostname } from 'node:os'
import { resolve } from 'node:path'
import * as z from 'zod'

/** The configuration of a runner: read from its environment once, checked as a whole, frozen. */
export type Config = Readonly<{
  /** No slash at the end. */
  coordinatorUrl: string
  /** The runner token; null: it is in `tokenFile`. */
  token: string | null
  /** A file that may appear a little later than this process; null when `token` is set. */
  tokenFile: string | null
  redisUrl: string
  /** Attempts at once. */
  slots: number
  name: string
  /** Holds spools, doors and the runner's id. Each runner process has a folder of its own. */
  dataDir: string
  /** With less free space there, the runner takes no turns. */
  diskFloorMb: number
  image: string
  memoryMb: number
  workspaceMb: number
  cpus: number
  pids: number
  /** An OCI runtime that the Docker engine knows, for example `runsc`; null: its default. */
  runtime: string | null
  /** Hosts, or suffixes like `.pythonhosted.org`, that a sandbox may CONNECT to. */
  allowedHosts: readonly string[]
  npmRegistryUrl: string
  /** `unix:///path`, a path, or `tcp://host:port`. */
  dockerHost: string
  /** Where programs are; git is the only one that a runner starts. */
  path: string
  logLevel: string
  /** Human-readable log lines instead of JSON. */
  prettyLog: boolean
}>

const address = z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/+$/, ''))
function positive(max: number) {
  return z.coerce.number().int().min(1).max(max)
}
const host = z.string().regex(/^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be host names, or suffixes like .example.org')

const Environment = z
  .object({
    COORDINATOR_URL: address.default('http://127.0.0.1:3000'),
    RUNNER_TOKEN: z.string().min(16).optional(),
    RUNNER_TOKEN_FILE: z.string().optional(),
    REDIS_URL: z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:6379'),
    RUNNER_SLOTS: positive(1000).default(Math.max(1, availableParallelism())),
    RUNNER_NAME: z.string().min(1).max(100).default(hostname().slice(0, 100)),
    RUNNER_DATA_DIR: z.string().default('.errand/runner'),
    RUNNER_DISK_FLOOR_MB: positive(1_048_576).default(512),
    RUNNER_IMAGE: z.string().default('errand-worker:latest'),
    RUNNER_MEMORY_MB: positive(1_048_576).default(4096),
    RUNNER_WORKSPACE_MB: positive(1_048_576).default(2048),
    RUNNER_CPUS: z.coerce.number().positive().max(1024).default(2),
    RUNNER_PIDS: positive(65_536).default(512),
    RUNNER_RUNTIME: z.string().optional(),
    RUNNER_ALLOWED_HOSTS: z
      .string()
      .transform((value) =>
        value
          .split(',')
          .map((item) => item.trim().toLowerCase())
          .filter(Boolean),
      )
      .pipe(z.array(host))
      .default([]),
    RUNNER_NPM_REGISTRY: address.default('https://registry.npmjs.org'),
    DOCKER_HOST: z
      .string()
      .regex(/^(unix:\/\/)?\/.+|^tcp:\/\/.+/, 'must be unix:///path, /path or tcp://host:port')
      .default('unix:///var/run/docker.sock'),
    PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
    ERRAND_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    ERRAND_LOG_PRETTY: z.stringbool().default(false),
  })
  .superRefine((env, context) => {
    if (!env.RUNNER_TOKEN && !env.RUNNER_TOKEN_FILE)
      context.addIssue(
        'RUNNER_TOKEN or RUNNER_TOKEN_FILE: set one of them to the token that the coordinator keeps in its data folder',
      )
  })

/**
 * @param environment usually `process.env`; an empty variable counts as absent
 * @throws Error that names every wrong variable, and what is wrong with it
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) throw new Error(`The configuration is invalid.\n${z.prettifyError(parsed.error)}`)
  const env = parsed.data
  return Object.freeze({
    coordinatorUrl: env.COORDINATOR_URL,
    token: env.RUNNER_TOKEN ?? null,
    tokenFile: env.RUNNER_TOKEN ? null : (env.RUNNER_TOKEN_FILE ?? null),
    redisUrl: env.REDIS_URL,
    slots: env.RUNNER_SLOTS,
    name: env.RUNNER_NAME,
    dataDir: resolve(env.RUNNER_DATA_DIR),
    diskFloorMb: env.RUNNER_DISK_FLOOR_MB,
    image: env.RUNNER_IMAGE,
    memoryMb: env.RUNNER_MEMORY_MB,
    workspaceMb: env.RUNNER_WORKSPACE_MB,
    cpus: env.RUNNER_CPUS,
    pids: env.RUNNER_PIDS,
    runtime: env.RUNNER_RUNTIME ?? null,
    allowedHosts: Object.freeze(env.RUNNER_ALLOWED_HOSTS),
    npmRegistryUrl: env.RUNNER_NPM_REGISTRY,
    dockerHost: env.DOCKER_HOST,
    path: env.PATH,
    logLevel: env.ERRAND_LOG_LEVEL,
    prettyLog: env.ERRAND_LOG_PRETTY,
  })
}
