import type { Message } from '../contract/api/api.ts'
import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { beginAt } from './feed.ts'
import { type FeedEffect, type FeedInput, type FeedState, type FeedStep, type FeedTimer, show } from './feed-state.ts'
import { type FollowInput, knowing, startFollowing, stepFollow } from './follow.ts'
import { chain, type Fired, nothingToDo } from './machine.ts'
import {
  gather,
  gatherText,
  keep,
  keepEffect,
  PAGE,
  received,
  restore,
  showEarlier,
  showGathered,
  showText,
} from './shown-feed.ts'

/** The pauses before the client asks a silent server again. */
const ASK_AGAIN_MS = 3_000
/** The pause before the client asks a server again that promised events but sends none. */
const STALLED_MS = 5_000

/** The events of one task, live: without gaps or duplicates, also after every break of the network. */
export function stepFeed(state: FeedState, input: FeedInput | Fired<FeedTimer>): FeedStep {
  switch (input.type) {
    case 'restored':
      return sync(restore(state, input.saved))
    case 'connected':
      return sync(state)
    case 'event':
      return hearEvent(state, input.event)
    case 'delta':
      return hearDelta(state, input.delta)
    case 'task':
      return state.sync.at === 'task' ? askFirstPage(state, input.lastSeq) : nothingToDo(state)
    case 'page':
      return takePage(state, input)
    case 'watched':
      return state.sync.at === 'watch' ? takeWatched(state, state.sync, input.lastSeq) : nothingToDo(state)
    case 'messages':
      return state.sync.at === 'messages' ? takeMessages(state, input.items) : nothingToDo(state)
    case 'failed':
      return state.sync.at === 'idle' ? nothingToDo(state) : fail(state, input)
    case 'earlier-asked':
    case 'earlier-failed':
      return nothingToDo(show(state, { loadingEarlier: input.type === 'earlier-asked' }))
    case 'earlier':
      return showEarlier(state, input.events)
    case 'retry':
      return sync(show(state, { phase: 'loading', error: null }))
    case 'fired':
      return fire(state, input.timer)
    case 'close': {
      const last: FeedEffect[] = [{ type: 'catch-up', behind: false }, { type: 'unwatch' }]
      return { state, effects: state.unkept ? [keepEffect(state), ...last] : last }
    }
  }
}

/** A sync loads the first page where there is none, watches, calls for what the connection does not bring, and asks for messages once. */
function sync(state: FeedState): FeedStep {
  if (state.sync.at !== 'idle') return nothingToDo({ ...state, syncAgain: true })
  if (state.shown.phase === 'ready') return watch(state, false)
  return { state: { ...state, sync: { at: 'task' } }, effects: [{ type: 'ask-task' }] }
}

/** Takes the newest page. The saved events are kept only if the page continues them. */
function askFirstPage(state: FeedState, lastSeq: number): FeedStep {
  const { phase, lastSeq: have } = state.shown
  const goesOn = phase === 'saved' && have <= lastSeq && lastSeq - have <= PAGE
  const after = goesOn ? have : Math.max(0, lastSeq - PAGE)
  const follow = knowing(startFollowing(state.follow.taskId, after), Math.max(lastSeq, state.follow.head))
  return { state: { ...state, follow, sync: { at: 'first-page', goesOn } }, effects: [{ type: 'ask-page', after, limit: PAGE }] }
}

function takePage(state: FeedState, { events, lastSeq }: { events: readonly TaskEvent[]; lastSeq: number }): FeedStep {
  const { sync, follow } = state
  if (sync.at !== 'first-page' && sync.at !== 'missed-page') return nothingToDo(state)
  const fresh = sync.at === 'first-page' && !sync.goesOn
  const begun = fresh ? show(state, { ...beginAt(follow.last), hasEarlier: follow.last > 0, messages: [] }) : state
  const taken = inOrder(fresh ? { ...begun, knowsMessages: false } : begun, { type: 'stored', events, lastSeq })
  if (sync.at === 'missed-page') return chain(taken, showGathered, askMessages)
  return chain(
    taken,
    showGathered,
    (next) => nothingToDo(show(next, { phase: 'ready', error: null })),
    keep,
    (next) => watch(next, true),
  )
}

function watch(state: FeedState, begins: boolean): FeedStep {
  const { state: follow } = stepFollow(state.follow, { type: 'connected' })
  return { state: { ...state, follow, sync: { at: 'watch', begins } }, effects: [{ type: 'watch', after: follow.last }] }
}

function takeWatched(state: FeedState, { begins }: { begins: boolean }, lastSeq: number | null): FeedStep {
  const next = { ...state, watched: lastSeq !== null }
  if (lastSeq !== null) return chain(inOrder(next, { type: 'watched', lastSeq }), askMessages)
  if (begins) return askMessages(next)
  const ask: FeedEffect = { type: 'ask-page', after: state.follow.last, limit: PAGE }
  return { state: { ...next, sync: { at: 'missed-page' } }, effects: [ask] }
}

function askMessages(state: FeedState): FeedStep {
  if (state.knowsMessages || !state.shown.hasEarlier) return finish(state)
  return { state: { ...state, sync: { at: 'messages' } }, effects: [{ type: 'ask-messages' }] }
}

function takeMessages(state: FeedState, items: readonly Message[]): FeedStep {
  const clientIds = items.flatMap(({ clientId }) => (clientId === null ? [] : [clientId]))
  const taken = show({ ...state, knowsMessages: true }, { messages: items })
  return chain({ state: taken, effects: received(clientIds) }, finish)
}

function finish(state: FeedState): FeedStep {
  return chain(
    tellProgress(state),
    goIdle,
    (next) => (next.watched ? nothingToDo(next) : waitToAsk(next, ASK_AGAIN_MS)),
    syncIfAsked,
  )
}

function fail(state: FeedState, { error, isFinal }: { error: unknown; isFinal: boolean }): FeedStep {
  const { phase } = state.shown
  const isShown = phase === 'loading' || (phase === 'saved' && isFinal)
  const failed = isShown ? show(state, { phase: 'error', error }) : state
  const told: FeedStep = { state: failed, effects: [{ type: 'catch-up', behind: false }] }
  return chain(told, goIdle, (next) => (isFinal ? nothingToDo(next) : waitToAsk(next, ASK_AGAIN_MS)), syncIfAsked)
}

function goIdle(state: FeedState): FeedStep {
  return nothingToDo({ ...state, sync: { at: 'idle' } })
}

function syncIfAsked(state: FeedState): FeedStep {
  return state.syncAgain ? sync({ ...state, syncAgain: false }) : nothingToDo(state)
}

function waitToAsk(state: FeedState, ms: number): FeedStep {
  return { state, effects: [{ type: 'wait', as: 'ask', ms }] }
}

/** Reports whether the feed lacks events, and starts or stops the wait for a server that promised them. */
function tellProgress(state: FeedState): FeedStep {
  const behind = state.follow.head > state.shown.lastSeq
  const told: FeedStep = { state, effects: [{ type: 'catch-up', behind }] }
  if (!state.watched) return told
  return chain(told, (next) => (behind ? waitToAsk(next, STALLED_MS) : { state: next, effects: [{ type: 'stop', as: 'ask' }] }))
}

function hearEvent(state: FeedState, event: TaskEvent): FeedStep {
  if (event.taskId !== state.follow.taskId) return nothingToDo(state)
  // Before the first page there is nothing to continue: the page will include this event, or the watch will bring it.
  if (state.shown.phase !== 'ready') return nothingToDo({ ...state, follow: knowing(state.follow, event.seq) })
  return inOrder(state, { type: 'event', event })
}

function hearDelta(state: FeedState, delta: Delta): FeedStep {
  if (delta.taskId !== state.follow.taskId || state.shown.phase !== 'ready') return nothingToDo(state)
  return gatherText(state, delta)
}

/** Hands the input to the shared order of events, gathers what it gives out, and syncs when it misses something. */
function inOrder(state: FeedState, input: FollowInput): FeedStep {
  const { state: follow, effects } = stepFollow(state.follow, input)
  const events = effects.flatMap((effect) => (effect.type === 'event' ? [effect.event] : []))
  const gathering = gather({ ...state, follow }, events)
  return effects.some(({ type }) => type === 'watch') ? chain(gathering, sync) : gathering
}

function fire(state: FeedState, timer: FeedTimer): FeedStep {
  if (timer === 'gather') return chain(showGathered(state), tellProgress)
  if (timer === 'write') return showText(state)
  return timer === 'keep' ? keep(state) : sync(state)
}
