import type { CreateTask, Message, SendMessage, Task } from '../../../contract/api.ts'
import { words } from '../words.ts'
import type { Api } from './api.ts'
import { codeOf, isPassing } from './api-error.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage.ts'

type Content = { kind: 'task'; body: CreateTask & { clientId: string } } | { kind: 'message'; taskId: string; body: SendMessage }

/** Something that a person sent. `sent`: the server has it, and its event is under way. `failed`: only a person's Retry sends it again. */
export type Unsent = Content & {
  clientId: string
  createdAt: string
  state: 'sending' | 'sent' | 'failed'
  /** Why it failed, for a person. */
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
}

export type OutboxParts = {
  api: Pick<Api, 'createTask' | 'sendMessage'>
  storage: Pick<Storage, 'read' | 'write'>
  newId: () => string
  now: () => Date
  onTask: (task: Task, clientId: string) => void
  onMessage?: (message: Message) => void
}

const KEY = 'outbox'
const RETRY_MS = 2_000
/** After this long without an answer it is shown as not sent. */
export const GIVE_UP_MS = 30_000

/** Sends what a person wrote, once, however often the app, the network or the server goes away in between: `clientId` is the server's key. */
export const createOutbox = ({ api, storage, newId, now, onTask, onMessage = () => {} }: OutboxParts): Outbox => {
  const state = createState<readonly Unsent[]>([])
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const underWay = new Set<string>()
  const since = new Map<string, number>()
  let writing = Promise.resolve()

  const set = (items: readonly Unsent[]) => {
    state.set(items)
    writing = writing.then(() =>
      storage.write(
        KEY,
        items.filter((item) => item.state !== 'sent'),
      ),
    )
  }
  const find = (clientId: string) => state.get().find((item) => item.clientId === clientId)
  const change = (clientId: string, next: Pick<Unsent, 'state' | 'error'>) =>
    set(state.get().map((item) => (item.clientId === clientId ? { ...item, ...next } : item)))
  const forget = (clientId: string) => {
    clearTimeout(timers.get(clientId))
    set(state.get().filter((item) => item.clientId !== clientId))
  }

  const attempt = async (clientId: string) => {
    const item = find(clientId)
    if (item?.state !== 'sending' || underWay.has(clientId)) return
    underWay.add(clientId)
    clearTimeout(timers.get(clientId))
    try {
      await writing
      if (item.kind === 'task') {
        const task = await api.createTask(item.body)
        forget(clientId)
        onTask(task, clientId)
      } else {
        const message = await api.sendMessage(item.taskId, item.body)
        if (find(clientId)) change(clientId, { state: 'sent', error: null })
        onMessage(message)
      }
    } catch (error) {
      fail(clientId, error)
    } finally {
      underWay.delete(clientId)
    }
  }
  const fail = (clientId: string, error: unknown) => {
    const late = now().getTime() - (since.get(clientId) ?? 0) >= GIVE_UP_MS
    if (isPassing(error) && !late)
      timers.set(
        clientId,
        setTimeout(() => void attempt(clientId), RETRY_MS),
      )
    else change(clientId, { state: 'failed', error: sentenceOf(error) })
  }
  const begin = (clientId: string) => {
    since.set(clientId, now().getTime())
    void attempt(clientId)
  }
  const add = (content: Content): string => {
    const { clientId } = content.body
    set([...state.get(), { ...content, clientId, createdAt: now().toISOString(), state: 'sending', error: null }])
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
      for (const item of state.get()) void attempt(item.clientId)
    },
    restore: async () => {
      const kept = (await storage.read<Unsent[]>(KEY)) ?? []
      const here = new Set(state.get().map(({ clientId }) => clientId))
      state.set([...kept.filter(({ clientId }) => !here.has(clientId)), ...state.get()])
      for (const { clientId } of kept) begin(clientId)
    },
  }
}

const sentenceOf = (error: unknown): string => {
  if (codeOf(error) === 'unauthorized') return words.outbox.refusedSession
  if (codeOf(error) === 'unreachable') return words.outbox.late
  return error instanceof Error ? error.message : words.common.unknownFault
}
