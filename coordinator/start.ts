import { join } from 'node:path'
import type { Logger } from 'pino'
import { checkGuests } from './accounts/guests.ts'
import { ensureOwner, loadRunnerToken } from './accounts/owner.ts'
import { createArtifacts } from './artifacts/artifacts.ts'
import { createLeaseSecrets } from './attempts/lease-secrets.ts'
import { createLeases } from './attempts/leases.ts'
import { createDemo } from './demo/demo.ts'
import { createApp } from './http/app.ts'
import { createLimits } from './http/middleware/limits.ts'
import type { Parts } from './http/parts.ts'
import { createIdentify } from './http/sign-in/identify.ts'
import { startDeltas } from './intake/deltas.ts'
import { startIntake } from './intake/intake.ts'
import { createPresence } from './live/presence.ts'
import { createRooms } from './live/rooms.ts'
import { openNotifier } from './notify/notifier.ts'
import { createOutside } from './notify/outside.ts'
import { createWebPush } from './notify/web-push.ts'
import { createMetrics } from './ops/metrics.ts'
import { createReadiness } from './ops/readiness.ts'
import type { Config } from './process/config.ts'
import { createStopList, type StopList } from './process/stop-list.ts'
import { closeServer, listen } from './process/web-server.ts'
import { openDispatch } from './queue/dispatch.ts'
import { startReconcile } from './reconcile/reconcile.ts'
import { approveKey, loadSecrets } from './secrets/secret-key.ts'
import { createLedger } from './store/ledger.ts'
import { openDatabase } from './store/sqlite/database.ts'
import { isDiskFull } from './store/sqlite/unusable-database.ts'
import { createTasks } from './tasks/tasks.ts'
import { connectRedis } from './wire/redis.ts'
import { createSendToRunner } from './wire/send-to-runner.ts'
import { createSignatures } from './wire/signatures.ts'

export type Coordinator = {
  /** Address of this server, as people open it. */
  url: string
  port: number
  /** API token of whoever runs the server. */
  ownerToken: string
  stop: () => Promise<void>
}

/** How long requests under way may go on while stopping. */
const PATIENCE_MS = 5_000

/** Where `vite build` leaves the app. */
const APP_FOLDER = join(import.meta.dirname, '../app/dist')

/**
 * Wires everything. When it resolves, the server takes requests.
 * @throws Error with what to do when a part cannot be had: Redis, the database, the port
 */
export async function start(given: Config, log: Logger): Promise<Coordinator> {
  const stopping = createStopList(log)
  try {
    return await wire(given, log, stopping)
  } catch (error) {
    await stopping.run()
    if (!isDiskFull(error)) throw error
    throw new Error(`The disk of ${given.dataDir} is full. Free some space there, and start again.`, { cause: error })
  }
}

async function wire(given: Config, log: Logger, stopping: StopList): Promise<Coordinator> {
  const db = await openDatabase(given.databasePath, (found) => approveKey(found, given))
  stopping.add('store', () => db.destroy())
  const redis = await connectRedis(given.redisUrl, log)
  stopping.add('redis', async () => redis.close())

  const secrets = await loadSecrets(db, given)
  const owner = await ensureOwner(db, given)
  await checkGuests({ db, config: given, log })
  const runnerToken = await loadRunnerToken(given)
  const webPush = await createWebPush(given)
  const artifacts = await createArtifacts(db, given.dataDir)
  const demo = await createDemo({ dataDir: given.dataDir, deriveKey: secrets.deriveKey, log })

  // From the port on nothing is awaited until the server can answer.
  const { server, connections, config } = await listen(given)
  const demoRepoUrl = config.publicUrl + demo.repoPath
  const signatures = createSignatures(secrets.deriveKey)
  const sendToRunner = createSendToRunner(redis, signatures)
  const identify = createIdentify({ db, secrets, config })
  const presence = createPresence()
  const rooms = createRooms({ publicUrl: config.publicUrl, identify, presence, log })
  const outside = createOutside(config.allowPrivateWebhooks)
  const notifier = openNotifier({ db, webPush, outside, presence, publicUrl: config.publicUrl, log })
  stopping.add('notifications', notifier.stop)
  const ledger = createLedger(db, rooms.audience, notifier.audience)
  const dispatch = openDispatch({ db, redis, signatures, log })
  const tasks = createTasks({ config, demoRepoUrl, db, ledger, dispatch, artifacts, sendToRunner, log })
  const secretsFor = createLeaseSecrets({ config, db, secrets, demo, demoRepoUrl, log })
  const leases = createLeases({ config, db, ledger, signatures, secretsFor, log, onRunner: dispatch.nudge })
  const metrics = createMetrics({ db, countQueued: dispatch.countQueued, countSockets: rooms.countSockets })
  const readiness = createReadiness({ db, redis: { ping: () => redis.commands.ping(), proveWritable: redis.proveWritable } })
  const limits = createLimits(config)
  const parts: Parts = {
    ...{ config, db, log, secrets, runnerToken, tasks, leases, artifacts, dispatch, demo, metrics, identify, readiness, limits },
    ...{ notifier, webPush, outside, ownerTokenId: owner.tokenId, appFolder: APP_FOLDER },
    disconnectUser: rooms.disconnectUser,
    disconnectDevice: rooms.disconnectDevice,
  }
  server.on('request', createApp(parts))
  rooms.open(server, tasks, limits.countNew)
  stopping.addFirst('http and sockets', () => closeServer({ server, connections }, rooms.close, PATIENCE_MS))

  stopping.add('queue', dispatch.stop)
  await dispatch.whenReady()
  const intake = await startIntake({
    ...{ redis, ledger, signatures, sendToRunner, log },
    onEnded: dispatch.nudge,
    onBatch: metrics.countBatch,
  })
  stopping.add('intake', intake.stop)
  const { isWatched, showDelta: show } = rooms
  const deltas = await startDeltas({ db, redis, signatures, log, isWatched, show })
  stopping.add('deltas', async () => deltas.stop())
  const reconcile = startReconcile({ db, ledger, dispatch, log })
  stopping.add('reconcile', reconcile.stop)
  log.info({ event: 'coordinator.started', url: config.publicUrl, port: config.port, demo: config.anthropicApiKey === null })
  return { url: config.publicUrl, port: config.port, ownerToken: owner.token, stop: stopping.run }
}
