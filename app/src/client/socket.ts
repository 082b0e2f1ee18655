import { io, type Socket } from 'socket.io-client'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'

export type AppSocket = Socket<ServerToClient, ClientToServer>

/** A self-hosted server has few users, who may ask often; a person who comes back wants the truth within three seconds. */
const RECONNECT_MS = { reconnectionDelay: 500, reconnectionDelayMax: 2_000, randomizationFactor: 0.5 }

/** Some proxies let no WebSocket pass: polling works there. */
const TRANSPORTS = { transports: ['websocket', 'polling'], tryAllTransports: true }

/** The vendor has a file of its own, which the first screen need not wait for. The socket does not connect by itself. */
export function createSocket(): AppSocket {
  return io({ autoConnect: false, ...TRANSPORTS, ...RECONNECT_MS })
}
