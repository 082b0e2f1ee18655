import { io, type Socket } from 'socket.io-client'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'

export type AppSocket = Socket<ServerToClient, ClientToServer>

/** A self-hosted server can bear that its few users ask often; a person who comes back wants the truth within three seconds. */
const RECONNECT_MS = { reconnectionDelay: 500, reconnectionDelayMax: 2_000, randomizationFactor: 0.5 }

/** Polling for those behind a proxy that lets no WebSocket pass. */
const TRANSPORTS = { transports: ['websocket', 'polling'], tryAllTransports: true }

/** The vendor's part, in a file of its own so that the first screen need not wait for it. It does not connect by itself. */
export function createSocket(): AppSocket {
  return io({ autoConnect: false, ...TRANSPORTS, ...RECONNECT_MS })
}
