import type { Message } from '../contract/api/api.ts'
import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { EMPTY_FEED, type Feed } from './feed.ts'
import { type Follow, startFollowing } from './follow.ts'
import type { Stepped, Timing } from './machine.ts'

/** What a screen shows of a task's events. */
export type TaskFeed = Feed & {
  /** `saved`: what was kept on this device, perhaps old. `ready`: the server's list, up to `lastSeq`. */
  phase: 'loading' | 'saved' | 'ready' | 'error'
  /** Why nothing could be loaded; null unless `phase` is `error`. */
  error: unknown
  /** Whether the server has events before the first one here. */
  hasEarlier: boolean
  loadingEarlier: boolean
  /** Every message to the task, if earlier events may hold one that still waits; else empty. */
  messages: readonly Message[]
}

export type SavedFeed = Pick<Feed, 'events' | 'lastSeq'>

/** Where a sync stands: the call whose answer is awaited. There is one sync at a time. */
type Sync =
  | { at: 'idle' }
  /** How far does the server's list go? */
  | { at: 'task' }
  /** @property goesOn whether the page continues what was saved on this device */
  | { at: 'first-page'; goesOn: boolean }
  /** @property begins whether the first page has just been loaded */
  | { at: 'watch'; begins: boolean }
  /** What the connection did not bring comes by a call. */
  | { at: 'missed-page' }
  | { at: 'messages' }

export type FeedState = {
  shown: TaskFeed
  follow: Follow
  sync: Sync
  /** Somebody asked for a sync during a sync: another one follows. */
  syncAgain: boolean
  /** Events in order that are shown with the next ones. */
  gathered: readonly TaskEvent[]
  /** So is text as it is written. */
  deltas: readonly Delta[]
  /** Whether the server has promised to send what comes. */
  watched: boolean
  knowsMessages: boolean
  /** Whether events are shown that are not kept on the device yet. */
  unkept: boolean
}

export type FeedTimer = 'gather' | 'write' | 'keep' | 'ask'

export type FeedInput =
  | { type: 'restored'; saved: SavedFeed | null }
  /** A connection is there, perhaps a new one. */
  | { type: 'connected' }
  | { type: 'event'; event: TaskEvent }
  | { type: 'delta'; delta: Delta }
  | { type: 'task'; lastSeq: number }
  | { type: 'page'; events: readonly TaskEvent[]; lastSeq: number }
  /** @property lastSeq null when nobody answers, or the server refuses */
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
  /** Whether events are known to exist that are not shown. */
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
