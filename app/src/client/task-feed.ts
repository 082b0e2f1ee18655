import type { TaskEvent } from '../../../contract/event.ts'
import type { Api } from './api.ts'
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
}

export type OpenFeed = {
  state: State<TaskFeed>
  loadEarlier: () => Promise<void>
  /** Tries again after an error. */
  retry: () => void
  close: () => void
}

type Parts = { api: Api; connection: Connection; storage: Storage; onMessage: (clientId: string) => void }

/** Events that a task opens with, and that one "show earlier" adds. */
export const PAGE = 300
/** As many are kept for a start without a network. */
const KEPT = 300
/** Events that come one by one are shown together. */
const GATHER_MS = 40
const KEEP_EVERY_MS = 2_000
/** A server that does not answer is asked again after this. */
const ASK_AGAIN_MS = 3_000
/** A hole mends itself when events come out of order within this; else they are asked for. */
const HOLE_MS = 250

const NOTHING: TaskFeed = { ...EMPTY_FEED, phase: 'loading', error: null, hasEarlier: false, loadingEarlier: false }

/** The events of one task, live: without a hole, without a double, and again so after every gap in the network. */
export const openTaskFeed = (taskId: string, { api, connection, storage, onMessage }: Parts): OpenFeed => {
  const state = createState(NOTHING)
  const key = `feed:${taskId}`
  let waiting: TaskEvent[] = []
  let gathering: ReturnType<typeof setTimeout> | undefined
  let keeping: ReturnType<typeof setTimeout> | undefined
  let asking: ReturnType<typeof setTimeout> | undefined
  let known = 0
  let closed = false
  let syncing = false

  const change = (next: Partial<TaskFeed>) => {
    if (!closed) state.set({ ...state.get(), ...next })
  }

  /** From the newest page on; what is kept here is good only if the server goes on from it. */
  const sync = async () => {
    if (syncing || closed) return
    syncing = true
    try {
      if (state.get().phase !== 'ready') {
        const { lastSeq } = await api.task(taskId)
        const { phase, lastSeq: have } = state.get()
        if (phase !== 'saved' || have > lastSeq || lastSeq - have > PAGE) {
          const after = Math.max(0, lastSeq - PAGE)
          change({ ...beginAt(after), hasEarlier: after > 0 })
        }
        change({ ...take(await api.events(taskId, state.get().lastSeq, PAGE)), phase: 'ready', error: null })
      }
      const answer = await connection.watch(taskId, state.get().lastSeq)
      if (answer) known = Math.max(known, answer.lastSeq)
      else askAgain()
      connection.catchUp(taskId, known > state.get().lastSeq)
    } catch (error) {
      if (state.get().phase === 'loading') change({ phase: 'error', error })
      askAgain()
    } finally {
      syncing = false
    }
  }
  const askAgain = (afterMs = ASK_AGAIN_MS) => {
    clearTimeout(asking)
    asking = setTimeout(() => void sync(), afterMs)
  }

  const take = ({ events }: { events: readonly TaskEvent[] }): Feed => {
    const { feed, hole } = takeEvents(state.get(), events)
    if (hole) askAgain(HOLE_MS)
    return feed
  }
  const gather = () => {
    gathering = undefined
    const events = waiting
    waiting = []
    change(take({ events }))
    connection.catchUp(taskId, known > state.get().lastSeq)
    for (const event of events) if (event.type === 'message.received' && event.data.clientId) onMessage(event.data.clientId)
    keeping ??= setTimeout(keep, KEEP_EVERY_MS)
  }
  const keep = () => {
    keeping = undefined
    const { events, lastSeq } = state.get()
    void storage.write(key, { events: events.slice(-KEPT), lastSeq })
  }

  const stops = [
    connection.on('event', (event) => {
      if (event.taskId !== taskId) return
      waiting.push(event)
      known = Math.max(known, event.seq)
      // Before the first page is here there is nothing to continue: it will hold this one too, or the watch will.
      if (state.get().phase === 'ready') gathering ??= setTimeout(gather, GATHER_MS)
      else waiting = []
    }),
    connection.on('delta', (delta) => {
      if (delta.taskId === taskId && state.get().phase === 'ready')
        state.set({ ...state.get(), ...takeDelta(state.get(), delta) })
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
      const page = await api.events(taskId, after, first - 1 - after).catch(() => null)
      const feed = page ? prependEvents(state.get(), page.events) : state.get()
      change({ ...feed, loadingEarlier: false, hasEarlier: (feed.events[0]?.seq ?? 1) > 1 })
    },
    retry: () => {
      change({ phase: 'loading', error: null })
      void sync()
    },
    close: () => {
      closed = true
      for (const stop of stops) stop()
      for (const timer of [gathering, asking]) clearTimeout(timer)
      if (keeping !== undefined) {
        clearTimeout(keeping)
        keep()
      }
      connection.catchUp(taskId, false)
      connection.unwatch(taskId)
    },
  }
}
