import { resolve } from 'node:path'
import * as z from 'zod'
import { DEFAULT_MODEL, MODELS } from '../../contract/shared/models.ts'
import { MODEL_WAIT_MS } from '../../contract/wire/deadlines.ts'

/** Everything that the coordinator reads from its environment: read once, checked as a whole, frozen. */
export type Config = Readonly<{
  host: string
  port: number
  /** The address at which people open this server and to which GitHub redirects after sign-in. No slash at the end. */
  publicUrl: string
  /** Where Docker Compose publishes the server on its host, `[host:]port`; null when not run by Compose. */
  composeListen: string | null
  dataDir: string
  /** File of the SQLite database. */
  databasePath: string
  /** The secret key, 32 bytes; null: generated at the first start and stored in the data folder. */
  secretKey: Buffer | null
  redisUrl: string
  /** Null: the built-in demo model answers. */
  anthropicApiKey: string | null
  anthropicBaseUrl: string
  defaultModel: string
  defaultBudgetUsd: number
  timeLimitMs: number
  /** How long an attempt waits in its slot for a model that does not answer. After that, its turn waits in the queue. */
  modelWaitMs: number
  /** Origins of the repositories that a task may name, like `https://github.com`. */
  gitHosts: readonly string[]
  github: Readonly<{ clientId: string; clientSecret: string; url: string; apiUrl: string }> | null
  /** GitHub logins of admins. The local owner is always one. */
  admins: readonly string[]
  /** GitHub logins that may sign in; empty: admins only; `*`: everybody. */
  users: readonly string[]
  /** The token that runners must present; null: made at the first start and stored in the data folder. */
  runnerToken: string | null
  /** The file that stores such a runner token; null: in the data folder. */
  runnerTokenFile: string | null
  /** Backups that the server makes by itself, a day. `folder` null: none; `key` null: they are not encrypted. */
  backups: Readonly<{ folder: string | null; keep: number; key: string | null }>
  /** How many tasks of one user may wait or run at once. */
  tasksPerUser: number
  /** What the files of tasks may take, and how long they are kept. 0 days: for ever. */
  storage: Readonly<{
    /** Whole outputs of tools: all of one attempt, all of one task. */
    attemptOutputsBytes: number
    taskOutputsBytes: number
    /** Everything of one user. Outputs may take half of it, so that the other half stays for the work itself. */
    userBytes: number
    /** With less free space, no new work begins. */
    floorBytes: number
    outputDays: number
    bundleDays: number
    /** For ended tasks. */
    taskDays: number
  }>
  /** Whether users' webhooks may use private networks and plain http. */
  allowPrivateWebhooks: boolean
  /** Number of proxies in front of the server, which hide the client's address. */
  trustedProxies: number
  logLevel: string
  /** Human-readable log lines instead of JSON. */
  prettyLog: boolean
}>

/**
 * An address without a path: the cookie, the service worker and all links assume the top of the host, and a path behind a git host would
 * have no effect.
 * @param advice what to do instead of naming a path
 */
function originOf(advice: string) {
  return z.url({ protocol: /^https?$/ }).transform((value, context) => {
    const { origin, pathname, search, hash, username } = new URL(value)
    if (pathname !== '/' || search || hash || username)
      context.addIssue(`must end after host and port, like ${origin}. ${advice}`)
    return origin
  })
}
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)

function megabytes(preset: number) {
  return z.coerce.number().min(1).max(10_000_000).default(preset)
}
function days(preset: number) {
  return z.coerce.number().int().min(0).max(36_500).default(preset)
}
const MB = 1024 * 1024

const Environment = z
  .object({
    ERRAND_HOST: z.string().min(1).default('127.0.0.1'),
    ERRAND_PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
    ERRAND_PUBLIC_URL: originOf(
      'Errand cannot be served below a path: give it its own host name (https://errand.example) or its own port.',
    ).optional(),
    ERRAND_LISTEN: z.string().optional(),
    ERRAND_DATA_DIR: z.string().min(1).default('.errand'),
    ERRAND_SECRET_KEY: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits; make one with: openssl rand -hex 32')
      .optional(),
    ERRAND_BACKUP_DIR: z.string().min(1).optional(),
    ERRAND_BACKUP_KEEP: z.coerce.number().int().min(1).max(1000).default(7),
    ERRAND_BACKUP_KEY: z.string().trim().min(16).optional(),
    DATABASE_URL: z.string().optional(),
    REDIS_URL: z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:6379'),
    ANTHROPIC_API_KEY: z.string().min(1).optional(),
    ANTHROPIC_BASE_URL: z.url({ protocol: /^https?$/ }).default('https://api.anthropic.com'),
    ERRAND_MODEL: z.enum(Object.keys(MODELS) as [string, ...string[]]).default(DEFAULT_MODEL),
    ERRAND_BUDGET_USD: z.coerce.number().positive().max(1000).default(5),
    ERRAND_TIME_LIMIT_MINUTES: z.coerce
      .number()
      .positive()
      .max(24 * 60)
      .default(60),
    ERRAND_MODEL_WAIT_SECONDS: z.coerce
      .number()
      .min(1)
      .max(60 * 60)
      .default(MODEL_WAIT_MS / 1_000),
    ERRAND_GIT_HOSTS: list.pipe(z.array(originOf('Only a whole host can be allowed.'))).default(['https://github.com']),
    GITHUB_CLIENT_ID: z.string().min(1).optional(),
    GITHUB_CLIENT_SECRET: z.string().min(1).optional(),
    GITHUB_URL: originOf('Give only the host.').default('https://github.com'),
    GITHUB_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.github.com'),
    ERRAND_ADMINS: list.default([]),
    ERRAND_USERS: list.default([]),
    RUNNER_TOKEN: z.string().min(16).optional(),
    RUNNER_TOKEN_FILE: z.string().min(1).optional(),
    ERRAND_TASKS_PER_USER: z.coerce.number().int().min(1).default(200),
    ERRAND_ATTEMPT_OUTPUTS_MB: megabytes(100),
    ERRAND_TASK_OUTPUTS_MB: megabytes(500),
    ERRAND_USER_STORAGE_MB: megabytes(10_000),
    ERRAND_DISK_FLOOR_MB: megabytes(512),
    ERRAND_KEEP_OUTPUTS_DAYS: days(30),
    ERRAND_KEEP_BUNDLES_DAYS: days(180),
    ERRAND_KEEP_TASKS_DAYS: days(0),
    ERRAND_ALLOW_PRIVATE_WEBHOOKS: z.stringbool().default(false),
    ERRAND_TRUSTED_PROXIES: z.coerce.number().int().min(0).default(0),
    ERRAND_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    ERRAND_LOG_PRETTY: z.stringbool().default(false),
  })
  .superRefine((env, context) => {
    if (Boolean(env.GITHUB_CLIENT_ID) !== Boolean(env.GITHUB_CLIENT_SECRET))
      context.addIssue('Set both GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, or neither')
    if (env.DATABASE_URL && !env.DATABASE_URL.startsWith('file:'))
      context.addIssue('DATABASE_URL: only file:<path> (SQLite) is supported; the default is errand.db in ERRAND_DATA_DIR')
  })
  .transform((env, context) => {
    const publicUrl = env.ERRAND_PUBLIC_URL ?? ownUrl(env.ERRAND_HOST, env.ERRAND_PORT)
    if (publicUrl === null) context.addIssue('ERRAND_PUBLIC_URL: set it, because no address can be made from this ERRAND_HOST')
    return { ...env, ERRAND_PUBLIC_URL: publicUrl ?? '' }
  })

/** @returns the address at which a browser on this machine opens the server; null if that host allows none */
function ownUrl(host: string, port: number): string | null {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!URL.canParse(url)) return null
  const { hostname, origin } = new URL(url)
  return hostname === '0.0.0.0' || hostname === '[::]' ? origin.replace(hostname, '127.0.0.1') : origin
}

/**
 * @param environment usually `process.env`; an empty variable counts as absent
 * @throws Error that names every wrong variable and its fault
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) throw new Error(`The configuration is invalid.\n${z.prettifyError(parsed.error)}`)
  const env = parsed.data
  return Object.freeze({
    host: env.ERRAND_HOST,
    port: env.ERRAND_PORT,
    publicUrl: env.ERRAND_PUBLIC_URL,
    composeListen: env.ERRAND_LISTEN ?? null,
    dataDir: resolve(env.ERRAND_DATA_DIR),
    databasePath: env.DATABASE_URL ? resolve(env.DATABASE_URL.slice('file:'.length)) : resolve(env.ERRAND_DATA_DIR, 'errand.db'),
    secretKey: env.ERRAND_SECRET_KEY ? Buffer.from(env.ERRAND_SECRET_KEY, 'hex') : null,
    redisUrl: env.REDIS_URL,
    anthropicApiKey: env.ANTHROPIC_API_KEY ?? null,
    anthropicBaseUrl: env.ANTHROPIC_BASE_URL,
    defaultModel: env.ERRAND_MODEL,
    defaultBudgetUsd: env.ERRAND_BUDGET_USD,
    timeLimitMs: env.ERRAND_TIME_LIMIT_MINUTES * 60_000,
    modelWaitMs: env.ERRAND_MODEL_WAIT_SECONDS * 1_000,
    gitHosts: Object.freeze(env.ERRAND_GIT_HOSTS),
    github:
      env.GITHUB_CLIENT_ID && env.GITHUB_CLIENT_SECRET
        ? Object.freeze({
            clientId: env.GITHUB_CLIENT_ID,
            clientSecret: env.GITHUB_CLIENT_SECRET,
            url: env.GITHUB_URL,
            apiUrl: env.GITHUB_API_URL,
          })
        : null,
    admins: Object.freeze(env.ERRAND_ADMINS),
    users: Object.freeze(env.ERRAND_USERS),
    runnerToken: env.RUNNER_TOKEN ?? null,
    runnerTokenFile: env.RUNNER_TOKEN_FILE ? resolve(env.RUNNER_TOKEN_FILE) : null,
    backups: Object.freeze({
      folder: env.ERRAND_BACKUP_DIR ? resolve(env.ERRAND_BACKUP_DIR) : null,
      keep: env.ERRAND_BACKUP_KEEP,
      key: env.ERRAND_BACKUP_KEY ?? null,
    }),
    tasksPerUser: env.ERRAND_TASKS_PER_USER,
    storage: Object.freeze({
      attemptOutputsBytes: env.ERRAND_ATTEMPT_OUTPUTS_MB * MB,
      taskOutputsBytes: env.ERRAND_TASK_OUTPUTS_MB * MB,
      userBytes: env.ERRAND_USER_STORAGE_MB * MB,
      floorBytes: env.ERRAND_DISK_FLOOR_MB * MB,
      outputDays: env.ERRAND_KEEP_OUTPUTS_DAYS,
      bundleDays: env.ERRAND_KEEP_BUNDLES_DAYS,
      taskDays: env.ERRAND_KEEP_TASKS_DAYS,
    }),
    allowPrivateWebhooks: env.ERRAND_ALLOW_PRIVATE_WEBHOOKS,
    trustedProxies: env.ERRAND_TRUSTED_PROXIES,
    logLevel: env.ERRAND_LOG_LEVEL,
    prettyLog: env.ERRAND_LOG_PRETTY,
  })
}
