import type { Message } from '../contract/api/api.ts'
import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { EMPTY_FEED, type Feed } from './feed.ts'
import { type Follow, startFollowing } from './follow.ts'
import type { Stepped, Timing } from './machine.ts'

/** What a screen shows of a task's events. */
export type TaskFeed = Feed & {
  /** `saved`: the copy on this device, perhaps old. `ready`: the server's list, up to `lastSeq`. */
  phase: 'loading' | 'saved' | 'ready' | 'error'
  /** Why nothing could be loaded; null unless `phase` is `error`. */
  error: unknown
  /** Whether the server has events before the first one here. */
  hasEarlier: boolean
  loadingEarlier: boolean
  /** Every message to the task, if an earlier event may be a message that still waits; else empty. */
  messages: readonly Message[]
}

export type SavedFeed = Pick<Feed, 'events' | 'lastSeq'>

/** Where a sync stands: the call whose answer is awaited. There is one sync at a time. */
type Sync =
  | { at: 'idle' }
  /** Asks how far the server's list goes. */
  | { at: 'task' }
  /** @property goesOn whether the page continues what was saved on this device */
  | { at: 'first-page'; goesOn: boolean }
  /** @property begins whether the first page has just been loaded */
  | { at: 'watch'; begins: boolean }
  /** Asks over HTTP for what the connection did not bring. */
  | { at: 'missed-page' }
  | { at: 'messages' }

export type FeedState = {
  shown: TaskFeed
  follow: Follow
  sync: Sync
  /** A sync was requested during a sync: another one follows. */
  syncAgain: boolean
  /** Events that wait to be shown together with the next ones. */
  gathered: readonly TaskEvent[]
  /** The same for text as it is written. */
  deltas: readonly Delta[]
  /** Whether the server has promised to send new events. */
  watched: boolean
  knowsMessages: boolean
  /** Whether some shown events are not saved on the device yet. */
  unkept: boolean
}

export type FeedTimer = 'gather' | 'write' | 'keep' | 'ask'

export type FeedInput =
  | { type: 'restored'; saved: SavedFeed | null }
  /** There is a connection, perhaps a new one. */
  | { type: 'connected' }
  | { type: 'event'; event: TaskEvent }
  | { type: 'delta'; delta: Delta }
  | { type: 'task'; lastSeq: number }
  | { type: 'page'; events: readonly TaskEvent[]; lastSeq: number }
  /** @property lastSeq null if there is no answer, or the server refuses */
  | { type: 'watched'; lastSeq: number | null }
  | { type: 'messages'; items: readonly Message[] }
  /** @property isFinal whether asking again changes nothing */
  | { type: 'failed'; error: unknown; isFinal: boolean }
  | { type: 'earlier-asked' }
  | { type: 'earlier'; events: readonly TaskEvent[] }
  | { type: 'earlier-failed' }
  | { type: 'retry' }
  | { type: 'close' }

/** Each `ask` is answered by the input of the same name, and `watch` by `watched`; or by `failed`. */
export type FeedEffect =
  | { type: 'ask-task' }
  | { type: 'ask-page'; after: number; limit: number }
  | { type: 'ask-messages' }
  | { type: 'watch'; after: number }
  | { type: 'unwatch' }
  /** Whether some events are known to exist but are not shown. */
  | { type: 'catch-up'; behind: boolean }
  | { type: 'keep'; saved: SavedFeed }
  /** The server has these messages. */
  | { type: 'received'; clientIds: readonly string[] }
  | Timing<FeedTimer>

export type FeedStep = Stepped<FeedState, FeedEffect>

export const LOADING: TaskFeed = {
  ...EMPTY_FEED,
  phase: 'loading',
  error: null,
  hasEarlier: false,
  loadingEarlier: false,
  messages: [],
}

export function openFeed(taskId: string): FeedState {
  return {
    shown: LOADING,
    follow: startFollowing(taskId),
    sync: { at: 'idle' },
    syncAgain: false,
    gathered: [],
    deltas: [],
    watched: false,
    knowsMessages: false,
    unkept: false,
  }
}

export function show(state: FeedState, changed: Partial<TaskFeed>): FeedState {
  return { ...state, shown: { ...state.shown, ...changed } }
}
