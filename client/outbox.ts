import type { CreateTask, SendMessage, Task } from '../contract/api/api.ts'
import { chain, type Fired, nothingToDo, type Stepped, type Timing } from './machine.ts'

type Content = { kind: 'task'; body: CreateTask & { clientId: string } } | { kind: 'message'; taskId: string; body: SendMessage }

/** What a person wrote, and when. */
export type Draft = Content & {
  /** The key by which the server takes it only once, however often it is sent. */
  clientId: string
  /** Who wrote it, if known: it is never sent as another user. */
  userId: string | null
  createdAt: string
}

/**
 * Something that a person sent. `waiting`: it was tried, and is tried again until the server answers. `sent`: the server has it, and its
 * event is on its way. `failed`: the server refused it, and only a person's Retry sends it again.
 */
export type Unsent = Draft & {
  state: 'sending' | 'waiting' | 'sent' | 'failed'
  /** Why it failed, or what it waits for, for a person. */
  error: string | null
}

export type OutboxState = {
  /** In writing order. */
  items: readonly Unsent[]
  /** The `clientId`s whose call is on its way. */
  onTheWay: ReadonlySet<string>
  /** How often each was tried without any sign of the network in between. */
  tries: ReadonlyMap<string, number>
  /** Removed items, which must not come back from the device. */
  forgotten: ReadonlySet<string>
}

/**
 * `refused` is final. After any other failure the item waits, without a limit. After `signed-out`, only a new connection sends it, not a
 * timer.
 */
export type SendFault = { kind: 'refused' | 'signed-out' | 'passing'; error: string }

export type OutboxInput =
  | { type: 'add'; draft: Draft }
  | { type: 'retry'; clientId: string }
  /** A person deleted it, or its event is here. */
  | { type: 'forget'; clientId: string }
  /** The connection is back. */
  | { type: 'flush' }
  /** What an earlier run of the app left on the device. */
  | { type: 'restored'; items: readonly Unsent[] }
  | { type: 'clear' }
  | { type: 'checked'; clientId: string; userId: string }
  /** The server has the new task. */
  | { type: 'created'; clientId: string; task: Task }
  /** The server has the message. @property waits whether its event is still to come */
  | { type: 'received'; clientId: string; waits: boolean }
  | { type: 'failed'; clientId: string; fault: SendFault }

/** `check` asks who is signed in, and is answered by `checked`; `send` by `created` or `received`; both by `failed`. A timer has the item's `clientId`. */
export type OutboxEffect =
  | { type: 'store'; item: Unsent }
  | { type: 'remove'; clientId: string }
  | { type: 'check'; clientId: string }
  | { type: 'send'; item: Unsent }
  | { type: 'created'; clientId: string; task: Task }
  | Timing<string>

type Result = Stepped<OutboxState, OutboxEffect>

const FIRST_PAUSE_MS = 2_000
/** A try every 15 seconds costs nothing, however long the network is away. */
const LONGEST_PAUSE_MS = 15_000

export const EMPTY_OUTBOX: OutboxState = { items: [], onTheWay: new Set(), tries: new Map(), forgotten: new Set() }

/** Sends what a person wrote, once and in order, however often the app, the network or the server goes away in between. */
export function stepOutbox(state: OutboxState, input: OutboxInput | Fired<string>): Result {
  switch (input.type) {
    case 'add':
      return add(state, input.draft)
    case 'retry':
      return retry(state, input.clientId)
    case 'forget':
      return forget(state, input.clientId)
    case 'flush':
      return each({ ...state, tries: new Map() }, state.items.filter(isWanted), (next, { clientId }) => attempt(next, clientId))
    case 'restored':
      return restore(state, input.items)
    case 'clear':
      return clear(state)
    case 'checked':
      return sendAs(state, input)
    case 'created':
      return chain(forget(offTheWay(state, input.clientId), input.clientId), (next) => ({ state: next, effects: [input] }))
    case 'received':
      return settleReceived(offTheWay(state, input.clientId), input)
    case 'failed':
      return settleFailed(offTheWay(state, input.clientId), input)
    case 'fired':
      return attempt(state, input.timer)
  }
}

function add(state: OutboxState, draft: Draft): Result {
  const fresh: Unsent = { ...draft, state: 'sending', error: null }
  const ahead = nextOf(fresh, state.items)
  const item: Unsent = ahead?.state === 'waiting' ? { ...fresh, state: 'waiting', error: ahead.error } : fresh
  const added: Result = { state: { ...state, items: [...state.items, item] }, effects: [{ type: 'store', item }] }
  return chain(added, (next) => attempt(next, item.clientId))
}

function retry(state: OutboxState, clientId: string): Result {
  const item = find(state, clientId)
  if (item?.state !== 'failed') return nothingToDo(state)
  return chain(change(state, item, { state: 'sending', error: null }), (next) => attempt(next, clientId))
}

function forget(state: OutboxState, clientId: string): Result {
  const noted = { ...state, forgotten: new Set(state.forgotten).add(clientId) }
  const item = find(state, clientId)
  if (!item) return nothingToDo(noted)
  const removed: Result = {
    state: { ...noted, items: state.items.filter((one) => one !== item) },
    effects: [{ type: 'remove', clientId }],
  }
  return chain(
    removed,
    (next) => rest(next, clientId),
    (next) => attemptNext(next, item),
  )
}

function restore(state: OutboxState, kept: readonly Unsent[]): Result {
  const removed = kept.filter(({ clientId }) => state.forgotten.has(clientId))
  const unknown = kept.filter(({ clientId }) => !state.forgotten.has(clientId) && !find(state, clientId))
  const items = [...unknown, ...state.items].sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  const restored: Result = {
    state: { ...state, items },
    effects: removed.map(({ clientId }) => ({ type: 'remove', clientId })),
  }
  return chain(restored, (next) => each(next, unknown, (one, { clientId }) => attempt(one, clientId)))
}

function clear(state: OutboxState): Result {
  const ids = state.items.map(({ clientId }) => clientId)
  return {
    state: { ...state, items: [], tries: new Map(), forgotten: new Set([...state.forgotten, ...ids]) },
    effects: ids.flatMap((clientId) => [
      { type: 'stop', as: clientId },
      { type: 'remove', clientId },
    ]),
  }
}

/** Starts a try if the item is next. Each time, it first asks who is signed in. */
function attempt(state: OutboxState, clientId: string): Result {
  const item = find(state, clientId)
  if (!item || !isItsTurn(item, state)) return nothingToDo(state)
  const tries = new Map(state.tries).set(clientId, (state.tries.get(clientId) ?? 0) + 1)
  return {
    state: { ...state, tries, onTheWay: new Set(state.onTheWay).add(clientId) },
    effects: [
      { type: 'stop', as: clientId },
      { type: 'check', clientId },
    ],
  }
}

/** Takes one step for each item. */
function each(state: OutboxState, items: readonly Unsent[], step: (state: OutboxState, item: Unsent) => Result): Result {
  return items.reduce<Result>((done, item) => chain(done, (next) => step(next, item)), nothingToDo(state))
}

/** The next item for the same destination. */
function attemptNext(state: OutboxState, item: Unsent): Result {
  const next = nextOf(item, state.items)
  return next && next.clientId !== item.clientId ? attempt(state, next.clientId) : nothingToDo(state)
}

function sendAs(state: OutboxState, { clientId, userId }: { clientId: string; userId: string }): Result {
  const item = find(state, clientId)
  if (!item) return nothingToDo(offTheWay(state, clientId))
  if ((item.userId ?? userId) !== userId) return forget(offTheWay(state, clientId), clientId)
  // An item left by an earlier run may have been put in front of it meanwhile.
  if (nextOf(item, state.items) !== item) return attemptNext(offTheWay(state, clientId), item)
  return { state, effects: [{ type: 'send', item }] }
}

function settleReceived(state: OutboxState, { clientId, waits }: { clientId: string; waits: boolean }): Result {
  const item = find(state, clientId)
  if (!item) return nothingToDo(state)
  if (!waits) return forget(state, clientId)
  const sent = change(state, item, { state: 'sent', error: null })
  return chain(
    sent,
    (next) => rest(next, clientId),
    (next) => attemptNext(next, item),
  )
}

function settleFailed(state: OutboxState, { clientId, fault }: { clientId: string; fault: SendFault }): Result {
  const item = find(state, clientId)
  if (!item) return nothingToDo(state)
  const isFinal = fault.kind === 'refused'
  // Everything behind a waiting item waits for the same thing.
  const concerned = isFinal ? [item] : queueOf(item, state.items)
  const told = each(state, concerned, (next, one) =>
    change(next, one, { state: isFinal ? 'failed' : 'waiting', error: fault.error }),
  )
  const again = (next: OutboxState) => (fault.kind === 'passing' ? tryAgain(next, clientId) : rest(next, clientId))
  return chain(told, again, (next) => attemptNext(next, item))
}

function tryAgain(state: OutboxState, clientId: string): Result {
  const tries = state.tries.get(clientId)
  // The connection came back while this try was still waiting on the old one.
  if (tries === undefined) return attempt(state, clientId)
  return { state, effects: [{ type: 'wait', as: clientId, ms: Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS) }] }
}

/** Ends the tries until something asks for one. */
function rest(state: OutboxState, clientId: string): Result {
  const tries = new Map(state.tries)
  tries.delete(clientId)
  return { state: { ...state, tries }, effects: [{ type: 'stop', as: clientId }] }
}

function change(state: OutboxState, item: Unsent, next: Pick<Unsent, 'state' | 'error'>): Result {
  if (item.state === next.state && item.error === next.error) return nothingToDo(state)
  const changed = { ...item, ...next }
  const items = state.items.map((one) => (one.clientId === item.clientId ? changed : one))
  // The server has what was sent, so the device can forget it.
  const effect: OutboxEffect =
    next.state === 'sent' ? { type: 'remove', clientId: item.clientId } : { type: 'store', item: changed }
  return { state: { ...state, items }, effects: [effect] }
}

function offTheWay(state: OutboxState, clientId: string): OutboxState {
  const onTheWay = new Set(state.onTheWay)
  onTheWay.delete(clientId)
  return { ...state, onTheWay }
}

function find(state: OutboxState, clientId: string): Unsent | undefined {
  return state.items.find((item) => item.clientId === clientId)
}

/** @returns whether the server lacks it and no person was told that it failed */
function isWanted({ state }: Unsent): boolean {
  return state === 'sending' || state === 'waiting'
}

/** @returns whether it is the first of its queue, with nothing of the queue on its way */
function isItsTurn(item: Unsent, { items, onTheWay }: OutboxState): boolean {
  const queue = queueOf(item, items)
  return queue[0] === item && !queue.some(({ clientId }) => onTheWay.has(clientId))
}

function nextOf(item: Unsent, items: readonly Unsent[]): Unsent | undefined {
  return queueOf(item, items)[0]
}

/** @returns the items for the same destination. Messages reach a task in the order they were written; a new task waits for nothing. */
function queueOf(item: Unsent, items: readonly Unsent[]): readonly Unsent[] {
  if (item.kind === 'task') return isWanted(item) ? [item] : []
  return items.filter((one) => one.kind === 'message' && one.taskId === item.taskId && isWanted(one))
}
