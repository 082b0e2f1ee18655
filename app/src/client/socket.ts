import { io, type Socket } from 'socket.io-client'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'

export type AppSocket = Socket<ServerToClient, ClientToServer>

/** A self-hosted server has few users, so they may retry often: a returning user wants the truth within three seconds. */
const RECONNECT_MS = { reconnectionDelay: 500, reconnectionDelayMax: 2_000, randomizationFactor: 0.5 }

/** Some proxies block WebSockets. Polling works there. */
const TRANSPORTS = { transports: ['websocket', 'polling'], tryAllTransports: true }

/** Socket.IO loads as a separate chunk, so the first screen need not wait for it. The socket does not connect by itself. */
export function createSocket(): AppSocket {
  return io({ autoConnect: false, ...TRANSPORTS, ...RECONNECT_MS })
}
