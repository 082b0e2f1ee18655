import { randomUUID } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type DefaultEventsMap, Server, type Socket } from 'socket.io'
import type { Delta } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { ClientToServer, ServerToClient } from '../../contract/api/socket.ts'
import { deviceRoom, taskRoom, userRoom } from '../../contract/wire/names.ts'
import type { Audience } from '../store/ledger.ts'
import type { SignedIn } from '../store/user.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { createReplays, createRotation } from './replays.ts'
import { type Connection, createPresence, type Presence, serveSocket } from './serve-socket.ts'

/**
 * The sockets of all clients. Only the server names rooms: a socket joins its user's room at the handshake, and the room of each task that
 * it watches.
 */
export type Rooms = {
  audience: Audience
  showDelta: (delta: Delta) => void
  isWatched: (taskId: string) => boolean
  disconnectUser: (userId: string) => void
  disconnectDevice: (deviceId: string) => void
  countSockets: () => number
  /** What people are looking at. */
  presence: Presence
  /** Serves the sockets that connect to this server. */
  serve: (httpServer: HttpServer, serving: Serving) => void
  close: () => Promise<void>
}

export type Serving = {
  tasks: Tasks
  identify: Identify
  /** Counts a new task or message of a user. @throws Refusal `rate_limited` when there are too many */
  countNew: (userId: string) => Promise<void>
}

/** How a client identifies itself: an API token, or the whole `Cookie` header of a browser. */
export type Shown = { token?: string; cookie?: string }

/** @returns null for a visitor who is not signed in */
export type Identify = (shown: Shown) => Promise<SignedIn | null>

type OurServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, SignedIn>
type OurSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SignedIn>

/** The interval of pings and the time to answer one. A frozen connection is noticed after the sum of both. */
const PING = { pingInterval: 20_000, pingTimeout: 20_000 }

/** How often a slow client is checked while it gets a history, and how long it may take for one page. */
const DRAIN_LOOK_MS = 5
const DRAIN_MS = 120_000

/** Sockets that one user may have open: far more than a person's tabs, devices and scripts. */
const SOCKETS_PER_USER = 64

/** How many characters may wait for a client that takes nothing: more than one batch of the intake. */
const MOST_UNSENT = 16 * 1024 * 1024

/** The rooms are empty until `serve` is called. */
export function createRooms({ publicUrl, log }: { publicUrl: string; log: Logger }): Rooms {
  const io = createServer(publicUrl)
  const presence = createPresence()
  const replays = createReplays()
  const pages = createRotation()

  const welcome = (socket: OurSocket, { tasks, identify, countNew }: Serving) => {
    const { user, deviceId } = socket.data
    // In the in-memory adapter joining takes effect at once.
    void socket.join([userRoom(user.id), deviceRoom(deviceId)])
    const handlers = serveSocket({ connection: connectionOf(socket), tasks, replays, pages, countNew, presence, log })
    for (const [name, handle] of Object.entries(handlers)) socket.on(name as keyof ClientToServer, handle)
    socket.on('disconnect', () => {
      replays.forget(socket.id)
      presence.forget(socket.id)
    })
    // Its device may have been revoked after the handshake but before it joined the room, when nothing could disconnect it.
    identify(shownBy(socket))
      .then((signedIn) => signedIn ?? socket.disconnect(true))
      .catch((error) => {
        log.error({ event: 'socket.identify_failed', err: error })
        socket.disconnect(true)
      })
  }

  return {
    audience: {
      events: (userId, events) => {
        for (const event of events) {
          const inReplay = replays.holdBack(event)
          io.to(userRoom(userId)).except(inReplay).emit('event', event)
        }
      },
      task: (userId, task) => void io.to(userRoom(userId)).emit('task', task),
      deleted: (userId, taskId) => void io.to(userRoom(userId)).emit('deleted', { taskId }),
    },
    showDelta: (delta) => {
      // A client that knows no output would take it for text of the model.
      io.to(taskRoom(delta.taskId)).volatile.emit(delta.callId === undefined ? 'delta' : 'output', delta)
    },
    isWatched: (taskId) => (io.of('/').adapter.rooms.get(taskRoom(taskId))?.size ?? 0) > 0,
    disconnectUser: (userId) => {
      io.in(userRoom(userId)).disconnectSockets(true)
    },
    disconnectDevice: (deviceId) => {
      io.in(deviceRoom(deviceId)).disconnectSockets(true)
    },
    countSockets: () => io.of('/').sockets.size,
    presence,
    serve: (httpServer, serving) => {
      io.use(letIn(serving.identify, log))
      io.on('connection', (socket) => welcome(socket, serving))
      io.attach(httpServer)
    },
    close: () => io.close(),
  }
}

function createServer(publicUrl: string): OurServer {
  // Compressing each message costs 4.7 times the CPU. Connection recovery would skip authentication, and replays make it unnecessary.
  return new Server({
    ...PING,
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: LIMITS.socketBytes,
    // CORS does not stop a WebSocket: any page could open one with the browser's cookie.
    allowRequest: (request, answer) => {
      const { origin } = request.headers
      const isOurs = origin === undefined || origin === publicUrl
      answer(isOurs ? null : 'This origin may not connect.', isOurs)
    },
  })
}

/** Lets in a signed-in user who has fewer sockets than allowed. The socket stops counting once it or its connection is gone. */
function letIn(identify: Identify, log: Logger) {
  const places = createSocketPlaces<OurSocket>(SOCKETS_PER_USER)
  return (socket: OurSocket, next: (refused?: Error) => void): void => {
    identify(shownBy(socket))
      .then((signedIn) => {
        if (!signedIn) return next(refusal('unauthorized', 'Sign in, or send a valid token.'))
        // A connection that is already closed would count forever.
        if (socket.conn.readyState !== 'open') return
        if (!places.take(signedIn.user.id, socket)) return next(refusal('rate_limited', TOO_MANY))
        const leave = () => places.leave(signedIn.user.id, socket)
        socket.once('disconnect', leave)
        socket.conn.once('close', leave)
        Object.assign(socket.data, signedIn)
        next()
      })
      .catch((error) => {
        log.error({ event: 'socket.identify_failed', err: error })
        next(refusal('unavailable', 'The server cannot check who you are. Try again.'))
      })
  }
}

const TOO_MANY = `You already have ${SOCKETS_PER_USER} open connections. Close some tabs of the app, or programs that follow tasks.`

/** Counts the open sockets of each user. @param most how many one user may have open at a time */
export function createSocketPlaces<S>(most: number) {
  const byUser = new Map<string, Set<S>>()
  return {
    /** @returns false when the user has as many as one may have */
    take: (userId: string, socket: S): boolean => {
      const sockets = byUser.get(userId) ?? new Set<S>()
      if (sockets.size >= most) return false
      byUser.set(userId, sockets.add(socket))
      return true
    },
    leave: (userId: string, socket: S): void => {
      const sockets = byUser.get(userId)
      sockets?.delete(socket)
      if (sockets?.size === 0) byUser.delete(userId)
    },
  }
}

function connectionOf(socket: OurSocket): Connection {
  const unsent = boundUnsent(socket)
  return {
    id: socket.id,
    user: socket.data.user,
    isOpen: () => socket.connected,
    watch: (taskId) => void socket.join(taskRoom(taskId)),
    unwatch: (taskId) => void socket.leave(taskRoom(taskId)),
    send: (event) => void socket.emit('event', event),
    drained: async () => {
      const until = performance.now() + DRAIN_MS
      while (socket.connected && (unsent() > 0 || !socket.conn.transport.writable)) {
        if (performance.now() > until) cut(socket)
        await setTimeout(DRAIN_LOOK_MS)
      }
    },
    cut: () => cut(socket),
  }
}

/** Drops what still waits for this client. The client comes back and asks for what it lacks. */
function cut({ conn }: OurSocket) {
  return conn.close(true)
}

/** Disconnects a client that takes nothing, before it fills the memory. @returns how many characters wait for it */
function boundUnsent(socket: OurSocket): () => number {
  let unsent = 0
  socket.conn.on('packetCreate', ({ data }: { data?: string | Buffer }) => {
    unsent += data?.length ?? 0
    if (unsent > MOST_UNSENT) cut(socket)
  })
  // A flush passes everything to the transport.
  socket.conn.on('flush', () => {
    unsent = 0
  })
  return () => unsent
}

function shownBy({ handshake }: OurSocket): Shown {
  const { token } = handshake.auth as { token?: unknown }
  const { cookie } = handshake.headers
  return { ...(typeof token === 'string' && { token }), ...(cookie !== undefined && { cookie }) }
}

function refusal(code: string, message: string): Error & { data: object } {
  return Object.assign(new Error(message), { data: { code, message, requestId: randomUUID() } })
}
