import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { Logger } from 'pino'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Leases } from '../attempts/leases.ts'
import type { DailyBackups } from '../backup/daily-backups.ts'
import type { Identify } from '../live/rooms.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Outside } from '../notify/outside.ts'
import type { WebPush } from '../notify/web-push.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Readiness } from '../ops/readiness.ts'
import type { Config } from '../process/config.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Limits } from './middleware/limits.ts'

/** Reads the body of a request itself. */
type RawHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Everything that the HTTP side works with; `open-web.ts` hands it in. */
export type Parts = Readonly<{
  config: Config
  db: Store
  log: Logger
  secrets: Secrets
  /** The token that runners must present. */
  runnerToken: string
  tasks: Tasks
  leases: Leases
  artifacts: Artifacts
  /** For Bull Board alone. */
  dispatch: { queue: ConstructorParameters<typeof BullMQAdapter>[0] }
  demo: { repoPath: string; handleModel: RawHandler; handleGit: RawHandler }
  metrics: Metrics
  /** HTTP and sockets identify callers with the same function. */
  identify: Identify
  /** Closes every socket of a user. */
  disconnectUser: (userId: string) => void
  /** Closes every socket of one device: after a sign-out or a revoked token. */
  disconnectDevice: (deviceId: string) => void
  /** How often one address or one user may call. */
  limits: Limits
  notifier: Notifier
  webPush: WebPush
  /** Calls the webhooks of users. */
  outside: Outside
  /** The token of the programs on this machine; it survives when its owner signs out everywhere. */
  ownerTokenId: string
  /** Folder of the built app. */
  appFolder: string
  readiness: Readiness
  disk: DiskSpace
  backups: Pick<DailyBackups, 'look'>
}>
