import type { CreateTask, SendMessage, Task } from '../../../contract/api.ts'
import { words } from '../words.ts'
import type { Api } from './api.ts'
import { codeOf, isPassing } from './api-error.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage.ts'

type Content = { kind: 'task'; body: CreateTask & { clientId: string } } | { kind: 'message'; taskId: string; body: SendMessage }

/** Something that a person sent. `sent`: the server has it, and its event is under way. `failed`: only a person's Retry sends it again. */
export type Unsent = Content & {
  clientId: string
  /** Who wrote it: it goes out as nobody else. */
  userId: string | null
  createdAt: string
  state: 'sending' | 'sent' | 'failed'
  /** Failed by the server's word, so that it certainly has none of it; without an answer it may have. */
  isRefused: boolean
  /** Why it failed, or what it waits for, for a person. */
  error: string | null
}

export type Outbox = {
  state: State<readonly Unsent[]>
  /** Kept on this device before it is sent. @returns its `clientId` at once */
  sendTask: (task: Omit<CreateTask, 'clientId'>) => string
  sendMessage: (taskId: string, message: Omit<SendMessage, 'clientId'>) => string
  retry: (clientId: string) => void
  /** Takes it away: deleted by a person, or its event is here. */
  forget: (clientId: string) => void
  /** Tries at once what waits: the line is back. */
  flush: () => void
  /** Reads what an earlier run of the app left. */
  restore: () => Promise<void>
  /** Takes everything away. */
  clear: () => void
}

export type OutboxParts = {
  api: Pick<Api, 'createTask' | 'sendMessage'>
  storage: Pick<Storage, 'list' | 'write' | 'remove'>
  newId: () => string
  now: () => Date
  /** Who writes here, as far as that is known without asking. */
  userId: () => string | null
  /** @returns who is signed in, at whose word what another user left here is cleared. @throws ApiError */
  checkUser: () => Promise<string>
  onTask: (task: Task, clientId: string) => void
}

/** A key for each, so that two open windows of the app do not write over each other's. */
const KEY = 'outbox:'
const RETRY_MS = 2_000
/** After this long without an answer it is shown as not sent. The time that a phone sleeps does not count. */
export const GIVE_UP_MS = 30_000
const TICK_MS = 1_000

/** Sends what a person wrote, once, however often the app, the network or the server goes away in between: `clientId` is the server's key. */
export const createOutbox = ({ api, storage, newId, now, userId, checkUser, onTask }: OutboxParts): Outbox => {
  const state = createState<readonly Unsent[]>([])
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const underWay = new Set<string>()
  const patience = createPatience()
  const gone = new Set<string>()
  let storing = Promise.resolve()

  const find = (clientId: string) => state.get().find((item) => item.clientId === clientId)
  const store = (item: Unsent) => {
    const { clientId } = item
    storing = storing.then(() => (item.state === 'sent' ? storage.remove(KEY + clientId) : storage.write(KEY + clientId, item)))
  }
  const change = (clientId: string, next: Pick<Unsent, 'state' | 'error'> & { isRefused?: boolean }) => {
    const item = find(clientId)
    if (!item) return
    const changed = { ...item, isRefused: false, ...next }
    if (changed.state !== 'sending') patience.end(clientId)
    state.set(state.get().map((one) => (one === item ? changed : one)))
    store(changed)
  }
  const forget = (clientId: string) => {
    gone.add(clientId)
    const item = find(clientId)
    if (!item) return
    clearTimeout(timers.get(clientId))
    patience.end(clientId)
    state.set(state.get().filter((one) => one !== item))
    storing = storing.then(() => storage.remove(KEY + clientId))
    goOn(item)
  }
  /** What waits to go out where this one goes: what is said to one task arrives in the order in which it was said. */
  const queueOf = (item: Unsent) =>
    item.kind === 'task'
      ? [item]
      : state.get().filter((one) => one.kind === 'message' && one.taskId === item.taskId && one.state === 'sending')
  const goOn = (after: Unsent) => {
    const [next] = queueOf(after)
    if (next && next.clientId !== after.clientId) void attempt(next.clientId)
  }

  const attempt = async (clientId: string) => {
    const item = find(clientId)
    if (item?.state !== 'sending' || queueOf(item).some((one) => underWay.has(one.clientId)) || queueOf(item)[0] !== item) return
    underWay.add(clientId)
    clearTimeout(timers.get(clientId))
    let fault: unknown = null
    try {
      await storing
      const user = await checkUser()
      if ((item.userId ?? user) === user) await send(clientId)
      else forget(clientId)
    } catch (error) {
      fault = error
    }
    underWay.delete(clientId)
    if (fault !== null && find(clientId)) fail(clientId, fault)
    goOn(item)
  }
  const send = async (clientId: string) => {
    const item = find(clientId)
    // Meanwhile what an earlier run left may have come before it.
    if (!item || queueOf(item)[0] !== item) return
    if (item.kind === 'task') {
      const task = await api.createTask(item.body)
      forget(clientId)
      onTask(task, clientId)
    } else {
      const message = await api.sendMessage(item.taskId, item.body)
      // Of one that waits no more, the feed has told already.
      if (message.state === 'waiting') change(clientId, { state: 'sent', error: null })
      else forget(clientId)
    }
  }
  const fail = (clientId: string, error: unknown) => {
    if (codeOf(error) === 'unauthorized') change(clientId, { state: 'sending', error: words.outbox.signedOut })
    else if (isPassing(error) && !patience.isOver(clientId)) timers.set(clientId, setTimeout(attempt, RETRY_MS, clientId))
    else change(clientId, { state: 'failed', isRefused: !isPassing(error), error: sentenceOf(error) })
  }
  const begin = (clientId: string) => {
    const item = find(clientId)
    if (item?.state !== 'sending') return
    patience.begin(clientId)
    if (item.error !== null) change(clientId, { state: 'sending', error: null })
    void attempt(clientId)
  }
  const add = (content: Content): string => {
    const { clientId } = content.body
    const item: Unsent = {
      ...content,
      ...{ clientId, userId: userId(), createdAt: now().toISOString() },
      ...{ state: 'sending', isRefused: false, error: null },
    }
    state.set([...state.get(), item])
    store(item)
    begin(clientId)
    return clientId
  }

  return {
    state,
    sendTask: (task) => add({ kind: 'task', body: { ...task, clientId: newId() } }),
    sendMessage: (taskId, message) => add({ kind: 'message', taskId, body: { ...message, clientId: newId() } }),
    retry: (clientId) => {
      if (find(clientId)?.state !== 'failed') return
      change(clientId, { state: 'sending', error: null })
      begin(clientId)
    },
    forget,
    flush: () => {
      for (const { clientId, error } of state.get()) {
        // What waited for a sign-in has its time before it.
        if (error !== null) begin(clientId)
        else void attempt(clientId)
      }
    },
    restore: async () => {
      const kept = await storage.list<Unsent>(KEY)
      for (const { clientId } of kept) if (gone.has(clientId)) storing = storing.then(() => storage.remove(KEY + clientId))
      const unknown = kept.filter(({ clientId }) => !gone.has(clientId) && !find(clientId))
      const inOrder = [...unknown, ...state.get()].sort((a, b) => a.createdAt.localeCompare(b.createdAt))
      state.set(inOrder)
      for (const { clientId } of unknown) begin(clientId)
    },
    clear: () => {
      const all = state.get()
      // First, so that none goes out because the one before it is gone.
      state.set(all.map((item) => ({ ...item, state: 'failed' })))
      for (const { clientId } of all) forget(clientId)
    },
  }
}

/** Counts ticks, of which none come while a phone sleeps. */
const createPatience = () => {
  const ticks = new Map<string, number>()
  let ticking: ReturnType<typeof setInterval> | undefined
  const tick = () => {
    for (const [id, count] of ticks) ticks.set(id, count + 1)
  }
  return {
    begin: (id: string) => {
      ticks.set(id, 0)
      ticking ??= setInterval(tick, TICK_MS)
    },
    end: (id: string) => {
      ticks.delete(id)
      if (ticks.size > 0) return
      clearInterval(ticking)
      ticking = undefined
    },
    isOver: (id: string) => (ticks.get(id) ?? 0) * TICK_MS >= GIVE_UP_MS,
  }
}

const sentenceOf = (error: unknown): string => {
  if (codeOf(error) === 'unreachable') return words.outbox.late
  return error instanceof Error ? error.message : words.common.unknownFault
}
