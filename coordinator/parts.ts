import type { Logger } from 'pino'
import type { Artifacts } from './artifacts.ts'
import type { Config } from './config.ts'
import type { createDemo } from './demo/demo.ts'
import type { Dispatch } from './dispatch.ts'
import type { Limits } from './http/limits.ts'
import type { Leases } from './leases.ts'
import type { Metrics } from './metrics.ts'
import type { Notifier } from './notifier.ts'
import type { Outside } from './outside.ts'
import type { createSecrets } from './secrets.ts'
import type { Store } from './store/database.ts'
import type { Tasks } from './tasks.ts'
import type { SignedIn } from './user.ts'
import type { WebPush } from './web-push.ts'

export type Secrets = ReturnType<typeof createSecrets>
export type Demo = Awaited<ReturnType<typeof createDemo>>

/** What somebody shows to be known by: an API token, or the whole `Cookie` header of a browser. */
export type Shown = { token?: string; cookie?: string }

/** Everything that the HTTP side works with; `start.ts` makes each once and hands them in. */
export type Parts = Readonly<{
  /** With the real port and address, also when port 0 was asked for. */
  config: Config
  db: Store
  log: Logger
  secrets: Secrets
  /** What runners must show. */
  runnerToken: string
  tasks: Tasks
  leases: Leases
  artifacts: Artifacts
  dispatch: Dispatch
  demo: Demo
  metrics: Metrics
  /** Null: nobody that we know. HTTP and sockets ask the same. */
  identify: (shown: Shown) => Promise<SignedIn | null>
  /** Closes every socket of a user. */
  disconnectUser: (userId: string) => void
  /** Closes every socket of one device: after a sign-out or a revoked token. */
  disconnectDevice: (deviceId: string) => void
  /** How often one address or one user may call. */
  limits: Limits
  notifier: Notifier
  webPush: WebPush
  /** Where users' webhooks may be. */
  outside: Outside
  /** The token that this machine's own programs use; it stays when its owner signs out everywhere. */
  ownerTokenId: string
  /** Folder of the built app. */
  appFolder: string
  /** For `/readyz`: whether the store and Redis answer and take writes just now. */
  readiness: () => Promise<{ store: boolean; redis: boolean }>
}>
