import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { Delta } from '../contract/api/event.ts'
import { checkGuests } from './accounts/guests.ts'
import { ensureOwner, loadRunnerToken } from './accounts/owner.ts'
import { createArtifacts } from './artifacts/artifacts.ts'
import { holdRestored } from './attempts/hold-restored.ts'
import { createLeaseSecrets } from './attempts/lease-secrets.ts'
import { createLeases } from './attempts/leases.ts'
import { startDailyBackups } from './backup/daily-backups.ts'
import { refuseUnfinished } from './backup/restore-backup.ts'
import { createDemo } from './demo/demo.ts'
import { startDeltas } from './intake/deltas.ts'
import { startIntake } from './intake/intake.ts'
import type { Presence } from './live/serve-socket.ts'
import { openNotifier } from './notify/notifier.ts'
import { createOutside } from './notify/outside.ts'
import { createWebPush } from './notify/web-push.ts'
import { createMetrics } from './ops/metrics.ts'
import { createReadiness } from './ops/readiness.ts'
import type { Config } from './process/config.ts'
import { createDiskSpace } from './process/disk-space.ts'
import type { StopList } from './process/stop-list.ts'
import { openDispatch } from './queue/dispatch.ts'
import { startReconcile } from './reconcile/reconcile.ts'
import { approveKey, loadSecrets } from './secrets/secret-key.ts'
import { startHousekeeping } from './storage/housekeeping.ts'
import { type Audience, createLedger } from './store/ledger.ts'
import { openDatabase } from './store/sqlite/database.ts'
import { createTasks } from './tasks/tasks.ts'
import { connectRedis } from './wire/redis.ts'
import { createSendToRunner } from './wire/send-to-runner.ts'
import { createSignatures } from './wire/signatures.ts'

/** Whatever receives events: the sockets of the apps, or a list in a test. */
export type Onlookers = {
  audience: Audience
  showDelta: (delta: Delta) => void
  isWatched: (taskId: string) => boolean
  countSockets: () => number
  presence: Presence
}

export type CoreOptions = {
  /** With the real port and address. */
  config: Config
  log: Logger
  /** Registers how to close each part. */
  stopping: StopList
  onlookers: Onlookers
  /** How long a lease lasts, for the reconciler; ms. */
  leaseMs?: number
}

export type Core = Awaited<ReturnType<typeof openCore>>

/**
 * Opens the coordinator without HTTP and sockets: the store, the queue, the use cases, and the background loops. When this resolves, all of
 * it works.
 * @throws Error with what to do if Redis or the database is not available
 */
export async function openCore(options: CoreOptions) {
  const { config, log, stopping, onlookers, leaseMs } = options
  const ground = await openGround(options)
  const { db, redis, secrets, signatures, artifacts, disk, demo } = ground

  const webPush = await createWebPush(config)
  const outside = createOutside(config.allowPrivateWebhooks)
  const { presence, isWatched, showDelta: show } = onlookers
  const notifier = openNotifier({ db, webPush, outside, presence, publicUrl: config.publicUrl, log })
  stopping.add('notifications', notifier.stop)
  const ledger = createLedger(db, onlookers.audience, notifier.audience)

  // Before the queue, the runners and the reconciler can see what was under way.
  await holdRestored({ ledger, log })

  const sendToRunner = createSendToRunner(redis, signatures)
  const dispatch = openDispatch({ db, redis, signatures, log })
  stopping.add('queue', dispatch.stop)
  await dispatch.whenReady()

  const demoRepoUrl = config.publicUrl + demo.repoPath
  const tasks = createTasks({ config, demoRepoUrl, db, ledger, dispatch, artifacts, disk, sendToRunner, log })
  const secretsFor = createLeaseSecrets({ config, db, secrets, demo, demoRepoUrl, log })
  const leases = createLeases({ config, db, ledger, signatures, secretsFor, disk, log, onRunner: dispatch.nudge })

  const metrics = createMetrics({ db, disk, countQueued: dispatch.countQueued, countSockets: onlookers.countSockets })
  const readiness = createReadiness({
    db,
    disk,
    redis: { ping: () => redis.commands.ping(), proveWritable: redis.proveWritable },
  })
  const onEnded = dispatch.nudge
  const intake = await startIntake({ redis, ledger, signatures, sendToRunner, log, onEnded, onBatch: metrics.countBatch })
  stopping.add('intake', intake.stop)
  const deltas = await startDeltas({ db, redis, signatures, log, isWatched, show })
  stopping.add('deltas', async () => deltas.stop())
  const reconcile = startReconcile({ db, ledger, dispatch, disk, log, ...(leaseMs !== undefined && { leaseMs }) })
  stopping.add('reconcile', reconcile.stop)
  const backups = startDailyBackups({ config, log })
  stopping.add('backups', backups.stop)

  const housekeeping = startHousekeeping({ db, ledger, artifacts, disk, limits: config.storage, log })
  stopping.add('housekeeping', housekeeping.stop)

  return { ...ground, config, log, ledger, dispatch, tasks, leases, notifier, webPush, outside, metrics, readiness, backups }
}

/** The basis of everything else: the store, Redis, the keys, and the files in the data folder. */
async function openGround({ config, log, stopping }: CoreOptions) {
  refuseUnfinished(config.dataDir)
  const db = await openDatabase(config.databasePath, (found) => approveKey(found, config))
  stopping.add('store', () => db.destroy())
  const redis = await connectRedis(config.redisUrl, log)
  stopping.add('redis', async () => redis.close())

  const secrets = await loadSecrets(db, config)
  const signatures = createSignatures(secrets.deriveKey)
  const owner = await ensureOwner(db, config)
  await checkGuests({ db, config, log })
  const runnerToken = await loadRunnerToken(config)
  const { dataDir, storage: limits } = config
  const disk = createDiskSpace([dataDir, dirname(config.databasePath)], limits.floorBytes)
  const artifacts = await createArtifacts({ db, dataDir, limits, disk })
  const demo = await createDemo({ dataDir: config.dataDir, deriveKey: secrets.deriveKey, log })
  return { db, redis, secrets, signatures, owner, runnerToken, artifacts, disk, demo }
}
