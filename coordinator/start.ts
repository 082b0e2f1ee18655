import { join } from 'node:path'
import type { Logger } from 'pino'
import { createArtifacts } from './artifacts.ts'
import type { Config } from './config.ts'
import { startDeltas } from './deltas.ts'
import { createDemo } from './demo/demo.ts'
import { createDispatch } from './dispatch.ts'
import { checkGuests } from './guests.ts'
import { createApp } from './http/app.ts'
import { createIdentify } from './http/identify.ts'
import { createLimits } from './http/limits.ts'
import { startIntake } from './intake.ts'
import { createLeaseSecrets } from './lease-secrets.ts'
import { createLeases } from './leases.ts'
import { createLedger } from './ledger.ts'
import { createMetrics } from './metrics.ts'
import { createNotifier } from './notifier.ts'
import { createOutside } from './outside.ts'
import { ensureOwner, loadRunnerToken } from './owner.ts'
import type { Parts } from './parts.ts'
import { createPresence } from './presence.ts'
import { createReadiness } from './readiness.ts'
import { startReconcile } from './reconcile.ts'
import { connectRedis } from './redis.ts'
import { createRooms } from './rooms.ts'
import { createSayToRunner } from './runner-words.ts'
import { approveKey, openSecrets } from './secret-key.ts'
import { createSignatures } from './signatures.ts'
import { createStopList, type StopList } from './stop-list.ts'
import { openDatabase } from './store/database.ts'
import { isDiskFull } from './store/open-fault.ts'
import { createTasks } from './tasks.ts'
import { createWebPush } from './web-push.ts'
import { closeServer, listen } from './web-server.ts'

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

  const secrets = await openSecrets(db, given)
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
  const sayToRunner = createSayToRunner(redis, signatures)
  const identify = createIdentify({ db, secrets, config })
  const presence = createPresence()
  const rooms = createRooms({ publicUrl: config.publicUrl, identify, presence, log })
  const outside = createOutside(config.allowPrivateWebhooks)
  const notifier = createNotifier({ db, webPush, outside, presence, publicUrl: config.publicUrl, log })
  stopping.add('notifications', notifier.stop)
  const ledger = createLedger(db, rooms.audience, notifier.audience)
  const dispatch = createDispatch({ db, redis, signatures, log })
  const tasks = createTasks({ config, demoRepoUrl, db, ledger, dispatch, artifacts, sayToRunner, log })
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
    ...{ redis, ledger, signatures, sayToRunner, log },
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
