import { join } from 'node:path'
import { createApp } from './http/app.ts'
import { createLimits } from './http/middleware/limits.ts'
import { createIdentify } from './http/sign-in/identify.ts'
import type { Rooms } from './live/rooms.ts'
import type { Core } from './open-core.ts'
import { ROOT_FOLDER } from './process/root-folder.ts'
import { closeServer, createWebServer, type WebServer } from './process/web-server.ts'

export type Web = Pick<WebServer, 'server'> & { close: () => Promise<void> }

/** How long running requests may take when the server stops. */
const PATIENCE_MS = 5_000

/** Where `vite build` puts the app. */
const APP_FOLDER = join(ROOT_FOLDER, 'app/dist')

/** Adds HTTP and sockets to an open core. No request arrives before the server listens. */
export function openWeb(core: Core, rooms: Rooms): Web {
  const identify = createIdentify(core)
  const limits = createLimits(core.config)
  const web = createWebServer(
    createApp({
      ...core,
      identify,
      limits,
      disconnectUser: rooms.disconnectUser,
      disconnectDevice: rooms.disconnectDevice,
      ownerTokenId: core.owner.tokenId,
      appFolder: APP_FOLDER,
    }),
  )
  rooms.serve(web.server, { tasks: core.tasks, identify, countNew: limits.countNew })
  return { server: web.server, close: () => closeServer(web, rooms.close, PATIENCE_MS) }
}
