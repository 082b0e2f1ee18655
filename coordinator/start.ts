import type { Logger } from 'pino'
import { createRooms } from './live/rooms.ts'
import { openCore } from './open-core.ts'
import { openWeb } from './open-web.ts'
import type { Config } from './process/config.ts'
import { createStopList, type StopList } from './process/stop-list.ts'
import { reservePort } from './process/web-server.ts'
import { isDiskFull } from './store/sqlite/unusable-database.ts'

export type Coordinator = {
  /** Address of this server, as people open it. */
  url: string
  port: number
  /** API token of the local owner. */
  ownerToken: string
  stop: () => Promise<void>
}

/**
 * Opens the whole coordinator. When this resolves, the server takes requests.
 * @throws Error with what to do when Redis, the database or the port is not available
 */
export async function start(given: Config, log: Logger): Promise<Coordinator> {
  const stopping = createStopList(log)
  try {
    return await open(given, log, stopping)
  } catch (error) {
    await stopping.run()
    if (!isDiskFull(error)) throw error
    throw new Error(`The disk of ${given.dataDir} is full. Free some space there, and start again.`, { cause: error })
  }
}

/** Opens the core, then the web, and listens last. Everything stops in the reverse order. */
async function open(given: Config, log: Logger, stopping: StopList): Promise<Coordinator> {
  const { config, listen, release } = await reservePort(given)
  stopping.add('port', async () => release())
  const rooms = createRooms({ publicUrl: config.publicUrl, log })
  const core = await openCore({ config, log, stopping, onlookers: rooms })
  const web = openWeb(core, rooms)
  stopping.add('http and sockets', web.close)
  await listen(web.server)
  log.info({ event: 'coordinator.started', url: config.publicUrl, port: config.port, demo: config.anthropicApiKey === null })
  return { url: config.publicUrl, port: config.port, ownerToken: core.owner.token, stop: stopping.run }
}
