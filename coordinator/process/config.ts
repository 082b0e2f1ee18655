import { resolve } from 'node:path'
import { z } from 'zod'
import { DEFAULT_MODEL, MODELS } from '../../contract/shared/models.ts'

/** Everything that the coordinator takes from its environment: read once, checked whole, frozen. */
export type Config = Readonly<{
  host: string
  port: number
  /** Address under which people open this server; also what GitHub calls back. No slash at the end. */
  publicUrl: string
  /** Where Docker Compose shows the server on its host, `[host:]port`; null: it does not run there. */
  composeListen: string | null
  dataDir: string
  /** File of the SQLite database. */
  databasePath: string
  /** 32 bytes; null: made at the first start and kept in the data folder. */
  secretKey: Buffer | null
  redisUrl: string
  /** Null: the built-in demo model does the work. */
  anthropicApiKey: string | null
  anthropicBaseUrl: string
  defaultModel: string
  defaultBudgetUsd: number
  timeLimitMs: number
  /** Origins that a task may name, like `https://github.com`. */
  gitHosts: readonly string[]
  github: Readonly<{ clientId: string; clientSecret: string; url: string; apiUrl: string }> | null
  /** GitHub logins that are admins. The local owner always is one. */
  admins: readonly string[]
  /** GitHub logins that may sign in; empty: the admins alone. `*`: everybody. */
  users: readonly string[]
  /** What runners must show; null: made at the first start and kept in the data folder. */
  runnerToken: string | null
  /** Where a made runner token is kept; null: in the data folder. */
  runnerTokenFile: string | null
  /** Tasks of one user that may wait or run at once. */
  tasksPerUser: number
  /** Whether users' webhooks may be on private networks, and on plain http. */
  allowPrivateWebhooks: boolean
  /** Number of proxies in front, for the client's address; 0: none. */
  trustedProxies: number
  logLevel: string
  /** Human-readable log lines instead of JSON. */
  prettyLog: boolean
}>

/**
 * What people open is at the top of its host: the cookie, the service worker and the addresses in links are all made for that. Whatever
 * follows the host would have no effect, also where a git host is meant.
 * @param advice what to do instead of naming a path
 */
function originOf(advice: string) {
  return z.url({ protocol: /^https?$/ }).transform((value, context) => {
    const { origin, pathname, search, hash, username } = new URL(value)
    if (pathname !== '/' || search || hash || username)
      context.addIssue(`must end after the host and the port, as ${origin} does. ${advice}`)
    return origin
  })
}
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)

const Environment = z
  .object({
    ERRAND_HOST: z.string().min(1).default('127.0.0.1'),
    ERRAND_PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
    ERRAND_PUBLIC_URL: originOf(
      'Errand cannot be served below a path: give it a host name of its own (https://errand.example) or a port of its own.',
    ).optional(),
    ERRAND_LISTEN: z.string().optional(),
    ERRAND_DATA_DIR: z.string().min(1).default('.errand'),
    ERRAND_SECRET_KEY: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits; make one with: openssl rand -hex 32')
      .optional(),
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
    ERRAND_GIT_HOSTS: list
      .pipe(z.array(originOf('Whole hosts are allowed; a part of one cannot be.')))
      .default(['https://github.com']),
    GITHUB_CLIENT_ID: z.string().min(1).optional(),
    GITHUB_CLIENT_SECRET: z.string().min(1).optional(),
    GITHUB_URL: originOf('Only the host is asked for.').default('https://github.com'),
    GITHUB_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.github.com'),
    ERRAND_ADMINS: list.default([]),
    ERRAND_USERS: list.default([]),
    RUNNER_TOKEN: z.string().min(16).optional(),
    RUNNER_TOKEN_FILE: z.string().min(1).optional(),
    ERRAND_TASKS_PER_USER: z.coerce.number().int().min(1).default(200),
    ERRAND_ALLOW_PRIVATE_WEBHOOKS: z.stringbool().default(false),
    ERRAND_TRUSTED_PROXIES: z.coerce.number().int().min(0).default(0),
    ERRAND_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    ERRAND_LOG_PRETTY: z.stringbool().default(false),
  })
  .superRefine((env, context) => {
    if (Boolean(env.GITHUB_CLIENT_ID) !== Boolean(env.GITHUB_CLIENT_SECRET))
      context.addIssue('GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET belong together: set both, or neither')
    if (env.DATABASE_URL && !env.DATABASE_URL.startsWith('file:'))
      context.addIssue('DATABASE_URL: only file:<path> (SQLite) is supported; leave it out for errand.db in ERRAND_DATA_DIR')
  })
  .transform((env, context) => {
    const publicUrl = env.ERRAND_PUBLIC_URL ?? ownUrl(env.ERRAND_HOST, env.ERRAND_PORT)
    if (publicUrl === null) context.addIssue('ERRAND_PUBLIC_URL: no address can be made of this ERRAND_HOST; set it beside')
    return { ...env, ERRAND_PUBLIC_URL: publicUrl ?? '' }
  })

/** @returns where a browser on this machine opens a server that listens there, or null when no address can be written with that host */
function ownUrl(host: string, port: number): string | null {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!URL.canParse(url)) return null
  const { hostname, origin } = new URL(url)
  return hostname === '0.0.0.0' || hostname === '[::]' ? origin.replace(hostname, '127.0.0.1') : origin
}

/**
 * @param environment usually `process.env`; an empty variable counts as absent
 * @throws Error that names every variable that is wrong, and how
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) throw new Error(`The configuration is not usable.\n${z.prettifyError(parsed.error)}`)
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
    tasksPerUser: env.ERRAND_TASKS_PER_USER,
    allowPrivateWebhooks: env.ERRAND_ALLOW_PRIVATE_WEBHOOKS,
    trustedProxies: env.ERRAND_TRUSTED_PROXIES,
    logLevel: env.ERRAND_LOG_LEVEL,
    prettyLog: env.ERRAND_LOG_PRETTY,
  })
}
