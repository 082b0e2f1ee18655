import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync } from 'node:zlib'
import { pino } from 'pino'
import { ensureOwner, loadRunnerToken } from '../../../coordinator/accounts/owner.ts'
import { createDemo } from '../../../coordinator/demo/demo.ts'
import { createApp } from '../../../coordinator/http/app.ts'
import { createLimits } from '../../../coordinator/http/middleware/limits.ts'
import type { Parts } from '../../../coordinator/http/parts.ts'
import { createIdentify } from '../../../coordinator/http/sign-in/identify.ts'
import { createPresence } from '../../../coordinator/live/serve-socket.ts'
import { openNotifier } from '../../../coordinator/notify/notifier.ts'
import { createOutside } from '../../../coordinator/notify/outside.ts'
import { createWebPush } from '../../../coordinator/notify/web-push.ts'
import { type Config, readConfig } from '../../../coordinator/process/config.ts'
import { loadSecretKey } from '../../../coordinator/secrets/secret-key.ts'
import { createSecrets } from '../../../coordinator/secrets/secrets.ts'
import { createSignInLink } from '../../../coordinator/store/accounts/sign-in-links.ts'
import { findByToken, issueToken } from '../../../coordinator/store/accounts/tokens.ts'
import { upsertGithubUser } from '../../../coordinator/store/accounts/users.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import { scriptedTasks } from '../scripted/scripted-tasks.ts'
import { ROOMY } from '../systems/database.ts'
import type { Visitor } from '../systems/people.ts'
import { freePort, temporaryFolder } from '../systems/temporary.ts'

export type HttpServer = Awaited<ReturnType<typeof startHttp>>

/** What the scripted neighbours of the application were told. */
type Told = {
  disconnected: string[]
  saved: Array<{ taskId: string; attempt: number; kind: string; text: string }>
  lines: string[]
}

/**
 * The real application over a real store, on a port of its own. Tasks, leases and the queue are scripted: other tests are about them.
 * @param environment as the coordinator reads it
 */
export async function startHttp(environment: Record<string, string> = {}, given: Partial<Parts> = {}) {
  const folder = await temporaryFolder()
  const config: Config = readConfig({ ERRAND_PORT: String(await freePort()), ERRAND_DATA_DIR: folder.path, ...environment })
  const told: Told = { disconnected: [], saved: [], lines: [] }
  const { parts, owner } = await makeParts(config, folder.path, told, given)
  const { db, secrets } = parts
  const app = createApp(parts)
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(config.port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${config.port}`
  let users = 0

  return {
    url,
    app,
    parts,
    owner,
    disconnected: told.disconnected,
    saved: told.saved,
    log: () => told.lines.join(''),
    /** Somebody who signed in by GitHub before, with an API token. */
    addUser: async (login: string, { admin = false } = {}) => {
      users += 1
      const github = { githubId: String(users), login, avatarUrl: null, admin, token: `ghp_CANARY${users}` }
      const user = await upsertGithubUser(db, secrets, github)
      return { user, token: (await issueToken(db, user.id, 'test')).token }
    },
    /** A call with a token, the owner's when no other is given. */
    call: (method: string, path: string, options: CallOptions = {}) =>
      call(method, url + path, { token: owner.token, ...options }),
    /** Signs a visitor in by a link; as the owner, when no token says otherwise. */
    signIn: async (browser: Visitor, token = owner.token) => {
      const { code } = await createSignInLink(db, (await findByToken(db, token))?.user.id ?? '')
      await browser.post('/auth/link', { code })
      return browser
    },
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await parts.notifier.stop()
      await db.destroy()
      await folder.remove()
    },
  }
}

async function makeParts(config: Config, folder: string, told: Told, given: Partial<Parts>) {
  const log = pino({ level: 'debug' }, { write: (line: string) => void told.lines.push(line) })
  const db = await openDatabase(join(folder, 'errand.db'))
  const secrets = createSecrets(await loadSecretKey(config))
  const owner = await ensureOwner(db, config)
  const webPush = await createWebPush(config)
  const outside = createOutside(config.allowPrivateWebhooks)
  const parts: Parts = {
    config,
    db,
    log,
    secrets,
    runnerToken: await loadRunnerToken(config),
    tasks: scriptedTasks(),
    leases: scriptedLeases(),
    artifacts: scriptedArtifacts(told.saved),
    // Bull Board asks a queue only for its version until somebody looks.
    dispatch: { queue: { name: 'errand-turns', metaValues: { version: 'bullmq' } } } as unknown as Parts['dispatch'],
    demo: await createDemo({ dataDir: folder, deriveKey: secrets.deriveKey, log }),
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'errand_tasks 0\n', countBatch: () => undefined },
    identify: createIdentify({ db, secrets, config }),
    disconnectUser: (userId) => void told.disconnected.push(userId),
    disconnectDevice: (deviceId) => void told.disconnected.push(deviceId),
    limits: createLimits(config),
    webPush,
    outside,
    ownerTokenId: owner.tokenId,
    notifier: openNotifier({ db, log, webPush, outside, presence: createPresence(), publicUrl: config.publicUrl }),
    appFolder: await buildSmallApp(join(folder, 'app')),
    readiness: async () => ({ store: true, redis: true, disk: true }),
    disk: ROOMY,
    backups: { look: async () => undefined },
    ...given,
  }
  return { parts, owner }
}

function scriptedLeases(): Parts['leases'] {
  return {
    grant: async () => ({ granted: false, refusal: 'unknown', retryAfterMs: 1000 }),
    resume: async () => ({ granted: false }),
    requireHolder: async () => undefined,
    renew: async ({ attempts }) => ({
      attempts: attempts.map((lease) => ({ ...lease, state: 'leased' as const, leaseMs: 30_000, messages: [] })),
    }),
  }
}

function scriptedArtifacts(saved: Told['saved']): Parts['artifacts'] {
  return {
    save: async (taskId, attempt, kind, content) => {
      saved.push({ taskId, attempt, kind, text: await new Response(Readable.toWeb(content) as never).text() })
    },
    openFor: async () => Readable.from([]),
    open: async () => null,
    locate: async () => null,
    removeFiles: async () => undefined,
    sweep: async () => 0,
  }
}

type CallOptions = { token?: string; body?: unknown; headers?: Record<string, string> }

/** The body, when given, goes as JSON. */
function call(method: string, url: string, { token, body, headers = {} }: CallOptions): Promise<Response> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const init = { method, headers: { authorization: `Bearer ${token}`, ...type, ...headers } }
  return fetch(url, body === undefined ? init : { ...init, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

export const APP_INDEX =
  '<!doctype html><title>Errand</title><link rel="icon" href="/static/icon.svg"><script type="module" src="/assets/app-1a2b3c.js"></script><h1>app</h1>'

export const APP_SCRIPT = `document.querySelector('h1').textContent = 'The app';${'//'.padEnd(4_000, 'x')}`

/** What Vite leaves, in small. @returns the folder */
export async function buildSmallApp(folder: string): Promise<string> {
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'index.html'), APP_INDEX)
  await writeFile(join(folder, 'sw.js'), 'self.skipWaiting()')
  await writeFile(join(folder, 'manifest.webmanifest'), '{"name":"Errand"}')
  await writeFile(join(folder, 'assets', 'app-1a2b3c.js'), APP_SCRIPT)
  await writeFile(join(folder, 'assets', 'app-1a2b3c.js.br'), brotliCompressSync(APP_SCRIPT))
  await writeFile(join(folder, '.built-from'), 'a hash')
  return folder
}
