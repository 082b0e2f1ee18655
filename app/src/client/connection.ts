import type { Task } from '../../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer, PROTOCOL } from '../../../contract/api/socket.ts'
import type { AppSocket } from './socket.ts'
import { createState, type State } from './state.ts'

export type ConnectionState = 'connecting' | 'live' | 'catching-up' | 'offline' | 'unauthorized'

export type ConnectionEvents = {
  event: (event: TaskEvent) => void
  task: (task: Task) => void
  delta: (delta: Delta) => void
  live: () => void
}

export type Connection = {
  state: State<ConnectionState>
  /** Since when nothing is heard of the server; null while the line carries, and for a break that is too short to speak of. */
  downSince: State<string | null>
  /** True when the server speaks a newer protocol than this app: it must be reloaded. */
  tooOld: State<boolean>
  open: () => void
  close: () => void
  /** Asks for everything of a task after `after`, and for what comes. @returns null when the line does not carry or the server refuses */
  watch: (taskId: string, after: number) => Promise<{ lastSeq: number } | null>
  unwatch: (taskId: string) => void
  /** Feeds say while they lack events that are known to exist. */
  catchUp: (taskId: string, behind: boolean) => void
  /** Tells the server what a person looks at here: notifications about it stay quiet. */
  look: (active: boolean, taskId: string | null) => void
  /** Makes sure that the line carries, after a sleep or a change of network. */
  probe: () => Promise<void>
  on: <E extends keyof ConnectionEvents>(name: E, listener: ConnectionEvents[E]) => () => void
}

const SPOKEN: typeof PROTOCOL = 1
/**
 * Socket.IO itself notices a frozen line only after up to 45 s. With its pause before the next line this stays below the 3 s in which a
 * person who comes back shall see the truth; a line that is only slow, and on which something comes, is left alone.
 */
const PROBE_MS = 1_500
const ACKNOWLEDGE_MS = 10_000
/** After an end from the server's side, where Socket.IO does not try again by itself. */
const RETURN_MS = 1_000

/** A break that is shorter than this is nobody's business. A first line takes its time on a slow network. */
const PATIENCE_MS: Readonly<Partial<Record<ConnectionState, number>>> = { connecting: 5_000, offline: 2_000 }

/** One socket for the whole app. What it brings is a hint: the feeds check it against the numbers of the events. */
export function createConnection(
  load: () => Promise<AppSocket> = async () => (await import('./socket.ts')).createSocket(),
): Connection {
  const state = createState<ConnectionState>('connecting')
  const tooOld = createState(false)
  const behind = new Set<string>()
  const listeners = { event: new Set(), task: new Set(), delta: new Set(), live: new Set() } as Listeners
  let front: { active: boolean; taskId: string | null } = { active: true, taskId: null }
  let socket: AppSocket | null = null
  let opening: Promise<void> | null = null
  let returning: ReturnType<typeof setTimeout> | undefined
  const { downSince, watchDown } = createDown(state)

  const open = () => {
    if (state.get() === 'unauthorized') state.set('connecting')
    opening ??= begin()
    return opening
  }
  const begin = async () => {
    watchDown()
    try {
      socket = await load()
      listen(socket)
      socket.connect()
    } catch {
      // The file did not come: no network, and nothing in the cache yet.
      opening = null
      state.set('offline')
      comeBack()
    }
  }
  const listen = (line: AppSocket) => {
    line.on('connect', () => {
      showLine()
      void say('app:state', front)
      void greet()
      tell('live')
    })
    line.on('disconnect', (reason) => {
      state.set('offline')
      if (reason === 'io server disconnect') comeBack()
    })
    line.on('connect_error', (error: Error & { data?: { code?: string } }) => {
      if (error.data?.code === 'unauthorized') return state.set('unauthorized')
      state.set('offline')
      // A refused handshake is not tried again by Socket.IO.
      if (!line.active) comeBack()
    })
    line.on('event', (event) => tell('event', event))
    line.on('task', (task) => tell('task', task))
    line.on('delta', (delta) => tell('delta', delta))
  }
  const tell = <E extends keyof ConnectionEvents>(name: E, ...what: Parameters<ConnectionEvents[E]>) => {
    for (const listener of listeners[name]) (listener as (...what: Parameters<ConnectionEvents[E]>) => void)(...what)
  }
  const showLine = () => {
    if (socket?.connected) state.set(behind.size > 0 ? 'catching-up' : 'live')
    else if (state.get() === 'live' || state.get() === 'catching-up') state.set('offline')
  }
  const comeBack = () => {
    clearTimeout(returning)
    returning = setTimeout(() => (socket ? socket.connect() : void open()), RETURN_MS)
  }

  /** @returns null also for a refusal: whoever asks falls back to the calls over HTTP, which say why */
  const say = async <E extends keyof ClientToServer>(
    name: E,
    payload: Parameters<ClientToServer[E]>[0],
    timeoutMs = ACKNOWLEDGE_MS,
  ) => {
    type Said = Parameters<Parameters<ClientToServer[E]>[1]>[0]
    if (!socket?.connected) return null
    const line = socket.timeout(timeoutMs) as unknown as { emitWithAck: (name: E, payload: unknown) => Promise<Said> }
    const answer = await line.emitWithAck(name, payload).catch(() => null)
    return answer?.ok ? (answer as Extract<Said, { ok: true }>) : null
  }

  const probe = async () => {
    if (state.get() === 'unauthorized') return
    if (!socket) return open()
    if (!socket.connected) {
      // Out of the pause between two tries.
      socket.disconnect().connect()
      return
    }
    const { engine } = socket.io
    // On a slow line the answer may stand behind much else; whatever comes shows that the line carries.
    let heard = false
    const hear = () => {
      heard = true
    }
    engine.on('packet', hear)
    const answered = await greet(PROBE_MS)
    engine.off('packet', hear)
    if (!answered && !heard && socket.io.engine === engine) engine.close()
  }
  const greet = async (timeoutMs = ACKNOWLEDGE_MS): Promise<boolean> => {
    const answer = await say('app:ping', {}, timeoutMs)
    if (answer) tooOld.set(answer.protocol > SPOKEN)
    return answer !== null
  }

  return {
    state,
    downSince,
    tooOld,
    open: () => void open(),
    close: () => {
      clearTimeout(returning)
      socket?.disconnect()
    },
    watch: (taskId, after) => say('task:watch', { taskId, after }),
    unwatch: (taskId) => void say('task:unwatch', { taskId }),
    catchUp: (taskId, isBehind) => {
      if (isBehind) behind.add(taskId)
      else behind.delete(taskId)
      showLine()
    },
    look: (active, taskId) => {
      front = { active, taskId }
      void say('app:state', front)
    },
    probe,
    on: (name, listener) => {
      const set = listeners[name] as Set<typeof listener>
      set.add(listener)
      return () => set.delete(listener)
    },
  }
}

type Listeners = { [E in keyof ConnectionEvents]: Set<ConnectionEvents[E]> }

/** Counts how long a line is down, from the first try on. */
function createDown(state: State<ConnectionState>) {
  const downSince = createState<string | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let since: string | null = null
  const watchDown = () => {
    clearTimeout(timer)
    const patience = PATIENCE_MS[state.get()]
    since = patience === undefined ? null : (since ?? new Date().toISOString())
    if (patience === undefined) downSince.set(null)
    else if (downSince.get() === null) timer = setTimeout(() => downSince.set(since), patience)
  }
  state.subscribe(watchDown)
  return { downSince, watchDown }
}
