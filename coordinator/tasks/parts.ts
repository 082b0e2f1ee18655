import type { Logger } from 'pino'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Leases } from '../attempts/leases.ts'
import type { createDemo } from '../demo/demo.ts'
import type { Limits } from '../http/middleware/limits.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Outside } from '../notify/outside.ts'
import type { WebPush } from '../notify/web-push.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Config } from '../process/config.ts'
import type { Dispatch } from '../queue/dispatch.ts'
import type { createSecrets } from '../secrets/secrets.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { SignedIn } from '../store/user.ts'
import type { Tasks } from './tasks.ts'

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
