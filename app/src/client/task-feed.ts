import type { Message } from '../../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../../contract/api/event.ts'
import type { Api } from './api.ts'
import { codeOf } from './api-error.ts'
import type { Connection } from './connection.ts'
import { beginAt, EMPTY_FEED, type Feed, prependEvents, takeDelta, takeEvents } from './feed-reducer.ts'
import { createState, type State } from './state.ts'
import type { Storage } from './storage.ts'

export type TaskFeed = Feed & {
  /** `saved`: what was kept on this device, perhaps old. `ready`: the server's list, as far as `lastSeq` goes. */
  phase: 'loading' | 'saved' | 'ready' | 'error'
  /** Why nothing could be loaded; null unless `phase` is `error`. */
  error: unknown
  /** Whether the server has earlier events than the first here. */
  hasEarlier: boolean
  loadingEarlier: boolean
  /** Everything that was said to the task, when earlier events may tell of what still waits; empty otherwise. */
  said: readonly Message[]
}

export type OpenFeed = {
  state: State<TaskFeed>
  /** @throws what hindered it */
  loadEarlier: () => Promise<void>
  /** Tries again after an error. */
  retry: () => void
  close: () => void
}

type Parts = {
  api: Pick<Api, 'task' | 'events' | 'messages'>
  connection: Pick<Connection, 'watch' | 'unwatch' | 'catchUp' | 'on'>
  storage: Pick<Storage, 'read' | 'write'>
  /** The server has this message. */
  onMessage: (clientId: string) => void
}

/** Events that a task opens with, and that one "show earlier" adds. */
export const PAGE = 300
/** As many are kept for a start without a network. */
const KEPT = 300
/** Events that come one by one are shown together. */
const GATHER_MS = 40
/** So is text in the making: often enough to be seen growing, and a third of the work. */
const WRITE_MS = 150
const KEEP_EVERY_MS = 2_000
/** A server that does not answer is asked again after this. */
const ASK_AGAIN_MS = 3_000
/** So is one that promised events and sends none. */
const STALLED_MS = 5_000
/** A hole mends itself when events come out of order within this; else they are asked for. */
const HOLE_MS = 250

const NOTHING: TaskFeed = {
  ...EMPTY_FEED,
  phase: 'loading',
  error: null,
  hasEarlier: false,
  loadingEarlier: false,
  said: [],
}

/** The events of one task, live: without a hole, without a double, and again so after every gap in the network. */
export function openTaskFeed(taskId: string, { api, connection, storage, onMessage }: Parts): OpenFeed {
  const state = createState(NOTHING)
  const key = `feed:${taskId}`
  let waiting: TaskEvent[] = []
  let deltas: Delta[] = []
  let gathering: ReturnType<typeof setTimeout> | undefined
  let writing: ReturnType<typeof setTimeout> | undefined
  let keeping: ReturnType<typeof setTimeout> | undefined
  let asking: ReturnType<typeof setTimeout> | undefined
  let mending: ReturnType<typeof setTimeout> | undefined
  /** The newest event that is known to exist. */
  let known = 0
  let watched = false
  let saidIsKnown = false
  let closed = false
  let syncing = false
  let syncAgain = false

  const change = (next: Partial<TaskFeed>) => {
    if (!closed) state.set({ ...state.get(), ...next })
  }
  /** The feed with all that was heard of text in the making; an event that ends a text must find the whole of it. */
  const written = (): TaskFeed => {
    clearTimeout(writing)
    writing = undefined
    const heard = deltas
    deltas = []
    return { ...state.get(), ...heard.reduce<Feed>(takeDelta, state.get()) }
  }
  const isBehind = () => known > state.get().lastSeq

  /** One at a time: what asks for it meanwhile gets another one after it. */
  const sync = async () => {
    if (closed) return
    syncAgain = syncing
    if (syncing) return
    syncing = true
    try {
      const begins = state.get().phase !== 'ready'
      if (begins) await load()
      if (!closed) await listen(!begins)
      if (!closed) await learnSaid()
      goOn()
      if (!watched) askAgain(ASK_AGAIN_MS)
    } catch (error) {
      fail(error)
    } finally {
      syncing = false
      if (syncAgain) void sync()
    }
  }

  /** The newest page; what is kept here is good only if the server goes on from it. */
  const load = async () => {
    const { lastSeq } = await api.task(taskId)
    const { phase, lastSeq: have } = state.get()
    const goesOn = phase === 'saved' && have <= lastSeq && lastSeq - have <= PAGE
    const from: Feed = goesOn ? state.get() : beginAt(Math.max(0, lastSeq - PAGE))
    const { events } = await api.events(taskId, from.lastSeq, PAGE)
    if (!goesOn) saidIsKnown = false
    const begin = goesOn ? {} : { hasEarlier: from.lastSeq > 0, said: [] }
    known = Math.max(known, lastSeq)
    change({ ...take(from, events), ...begin, phase: 'ready', error: null })
    if (!closed) keep()
  }

  /** @param orAsk whether to ask for what is missing when the line does not carry */
  const listen = async (orAsk: boolean) => {
    const answer = await connection.watch(taskId, state.get().lastSeq)
    watched = answer !== null
    known = Math.max(known, answer?.lastSeq ?? 0)
    if (watched || !orAsk) return
    const page = await api.events(taskId, state.get().lastSeq, PAGE)
    known = Math.max(known, page.lastSeq)
    change(take(written(), page.events))
  }

  const learnSaid = async () => {
    if (saidIsKnown || !state.get().hasEarlier) return
    const { items } = await api.messages(taskId)
    saidIsKnown = true
    change({ said: items })
    for (const { clientId } of items) if (clientId !== null) onMessage(clientId)
  }

  const goOn = () => {
    connection.catchUp(taskId, !closed && isBehind())
    if (!watched) return
    if (isBehind()) askAgain(STALLED_MS)
    else clearTimeout(asking)
  }
  const fail = (error: unknown) => {
    const isFinal = FINAL.has(codeOf(error))
    const { phase } = state.get()
    if (phase === 'loading' || (phase === 'saved' && isFinal)) change({ phase: 'error', error })
    connection.catchUp(taskId, false)
    if (!isFinal) askAgain(ASK_AGAIN_MS)
  }
  const askAgain = (afterMs: number) => {
    clearTimeout(asking)
    if (!closed) asking = setTimeout(() => void sync(), afterMs)
  }
  /** Not put off by what comes after the hole. */
  const mend = () => {
    mending ??= setTimeout(() => {
      mending = undefined
      if (isBehind()) void sync()
    }, HOLE_MS)
  }

  const take = (from: Feed, events: readonly TaskEvent[]): Feed => {
    const { feed, hole } = takeEvents(from, events)
    tellMessages(events)
    if (closed) return feed
    if (hole) mend()
    keeping ??= setTimeout(keep, KEEP_EVERY_MS)
    return feed
  }
  const tellMessages = (events: readonly TaskEvent[]) => {
    for (const event of events) if (event.type === 'message.received' && event.data.clientId) onMessage(event.data.clientId)
  }
  const gather = () => {
    gathering = undefined
    const events = waiting
    waiting = []
    change(take(written(), events))
    goOn()
  }
  const keep = () => {
    clearTimeout(keeping)
    keeping = undefined
    const { events, lastSeq } = state.get()
    void storage.write(key, { events: events.slice(-KEPT), lastSeq })
  }

  const stops = [
    connection.on('event', (event) => {
      if (event.taskId !== taskId) return
      known = Math.max(known, event.seq)
      // Before the first page is here there is nothing to continue: it will hold this one too, or the watch will.
      if (state.get().phase !== 'ready') return
      waiting.push(event)
      gathering ??= setTimeout(gather, GATHER_MS)
    }),
    connection.on('delta', (delta) => {
      if (delta.taskId !== taskId || state.get().phase !== 'ready') return
      deltas.push(delta)
      writing ??= setTimeout(() => change(written()), WRITE_MS)
    }),
    connection.on('live', () => void sync()),
  ]

  const start = async () => {
    const kept = await storage.read<Pick<Feed, 'events' | 'lastSeq'>>(key)
    if (kept && state.get().phase === 'loading') change({ ...kept, phase: 'saved', hasEarlier: (kept.events[0]?.seq ?? 1) > 1 })
    await sync()
  }
  void start()

  return {
    state,
    loadEarlier: async () => {
      const first = state.get().events[0]?.seq ?? state.get().lastSeq + 1
      if (first <= 1 || state.get().loadingEarlier) return
      change({ loadingEarlier: true })
      const after = Math.max(0, first - 1 - PAGE)
      const page = await api.events(taskId, after, first - 1 - after).catch((error: unknown) => {
        change({ loadingEarlier: false })
        throw error
      })
      tellMessages(page.events)
      const feed = prependEvents(state.get(), page.events)
      change({ ...feed, loadingEarlier: false, hasEarlier: (feed.events[0]?.seq ?? 1) > 1 })
    },
    retry: () => {
      change({ phase: 'loading', error: null })
      void sync()
    },
    close: () => {
      closed = true
      for (const stop of stops) stop()
      for (const timer of [gathering, writing, asking, mending]) clearTimeout(timer)
      if (keeping !== undefined) keep()
      connection.catchUp(taskId, false)
      connection.unwatch(taskId)
    },
  }
}

/** Answers that asking again does not change. */
const FINAL: ReadonlySet<ReturnType<typeof codeOf>> = new Set(['unauthorized', 'forbidden', 'not_found'])
