import type { CreateTask, SendMessage, Task } from '../../../contract/api/api.ts'
import type { Api } from './api.ts'
import { codeOf } from './api-error.ts'
import { afterFault, goesOut, isWanted, nextOf, pauseMs, queueOf } from './outbox-rules.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage.ts'

type Content = { kind: 'task'; body: CreateTask & { clientId: string } } | { kind: 'message'; taskId: string; body: SendMessage }

/**
 * Something that a person sent. `waiting`: it was tried, and is tried again until the server answers. `sent`: the server has it, and its
 * event is under way. `failed`: the server refused it, and only a person's Retry sends it again.
 */
export type Unsent = Content & {
  clientId: string
  /** Who wrote it: it goes out as nobody else. */
  userId: string | null
  createdAt: string
  state: 'sending' | 'waiting' | 'sent' | 'failed'
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

/** Sends what a person wrote, once, however often the app, the network or the server goes away in between: `clientId` is the server's key. */
export function createOutbox({ api, storage, newId, now, userId, checkUser, onTask }: OutboxParts): Outbox {
  const state = createState<readonly Unsent[]>([])
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const tries = new Map<string, number>()
  const underWay = new Set<string>()
  const gone = new Set<string>()
  let storing = Promise.resolve()

  const find = (clientId: string) => state.get().find((item) => item.clientId === clientId)
  const store = (item: Unsent) => {
    const { clientId } = item
    storing = storing.then(() => (item.state === 'sent' ? storage.remove(KEY + clientId) : storage.write(KEY + clientId, item)))
  }
  const change = (clientId: string, next: Pick<Unsent, 'state' | 'error'>) => {
    const item = find(clientId)
    if (!item || (item.state === next.state && item.error === next.error)) return
    const changed = { ...item, ...next }
    state.set(state.get().map((one) => (one === item ? changed : one)))
    store(changed)
  }
  const forget = (clientId: string) => {
    gone.add(clientId)
    const item = find(clientId)
    if (!item) return
    rest(clientId)
    state.set(state.get().filter((one) => one !== item))
    storing = storing.then(() => storage.remove(KEY + clientId))
    goOn(item)
  }
  const goOn = (after: Unsent) => {
    const next = nextOf(after, state.get())
    if (next && next.clientId !== after.clientId) void attempt(next.clientId)
  }
  /** No more tries of their own accord. */
  const rest = (clientId: string) => {
    clearTimeout(timers.get(clientId))
    timers.delete(clientId)
    tries.delete(clientId)
  }

  const attempt = async (clientId: string) => {
    const item = find(clientId)
    if (!item || !goesOut(item, state.get(), underWay)) return
    underWay.add(clientId)
    clearTimeout(timers.get(clientId))
    tries.set(clientId, (tries.get(clientId) ?? 0) + 1)
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
    if (!item || nextOf(item, state.get()) !== item) return
    if (item.kind === 'task') {
      const task = await api.createTask(item.body)
      forget(clientId)
      onTask(task, clientId)
    } else {
      const message = await api.sendMessage(item.taskId, item.body)
      rest(clientId)
      // Of one that waits no more, the feed has told already.
      if (message.state === 'waiting') change(clientId, { state: 'sent', error: null })
      else forget(clientId)
    }
  }
  const fail = (clientId: string, error: unknown) => {
    const item = find(clientId)
    const next = afterFault(error)
    // What stands behind it waits for the same.
    for (const one of item && next.state === 'waiting' ? queueOf(item, state.get()) : []) change(one.clientId, next)
    change(clientId, next)
    // Whoever is signed out is asked to sign in; the line that comes up then sends it.
    if (next.state === 'failed' || codeOf(error) === 'unauthorized') return rest(clientId)
    const count = tries.get(clientId)
    // The network came back while this try still hung on the old one.
    if (count === undefined) void attempt(clientId)
    else timers.set(clientId, setTimeout(attempt, pauseMs(count), clientId))
  }
  const add = (content: Content): string => {
    const { clientId } = content.body
    const fresh: Unsent = {
      ...content,
      ...{ clientId, userId: userId(), createdAt: now().toISOString() },
      ...{ state: 'sending', error: null },
    }
    const ahead = nextOf(fresh, state.get())
    const item: Unsent = ahead?.state === 'waiting' ? { ...fresh, state: 'waiting', error: ahead.error } : fresh
    state.set([...state.get(), item])
    store(item)
    void attempt(clientId)
    return clientId
  }

  return {
    state,
    sendTask: (task) => add({ kind: 'task', body: { ...task, clientId: newId() } }),
    sendMessage: (taskId, message) => add({ kind: 'message', taskId, body: { ...message, clientId: newId() } }),
    retry: (clientId) => {
      if (find(clientId)?.state !== 'failed') return
      change(clientId, { state: 'sending', error: null })
      void attempt(clientId)
    },
    forget,
    flush: () => {
      for (const { clientId } of state.get().filter(isWanted)) {
        tries.delete(clientId)
        void attempt(clientId)
      }
    },
    restore: async () => {
      const kept = await storage.list<Unsent>(KEY)
      for (const { clientId } of kept) if (gone.has(clientId)) storing = storing.then(() => storage.remove(KEY + clientId))
      const unknown = kept.filter(({ clientId }) => !gone.has(clientId) && !find(clientId))
      const inOrder = [...unknown, ...state.get()].sort((a, b) => a.createdAt.localeCompare(b.createdAt))
      state.set(inOrder)
      for (const { clientId } of unknown) void attempt(clientId)
    },
    clear: () => {
      const all = state.get()
      // First, so that none goes out because the one before it is gone.
      state.set(all.map((item) => ({ ...item, state: 'failed' })))
      for (const { clientId } of all) forget(clientId)
    },
  }
}
