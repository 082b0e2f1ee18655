import type { EventData, TaskEvent } from '../../../contract/event.ts'
import { addUsage, type PlanStep, planOf } from './feed-facts.ts'
import { type Item, type ItemOf, type Message, NO_USAGE } from './feed-items.ts'

/** What the agent is at. `ended` is a turn's end: the next message begins another. */
export type Activity = 'waiting' | 'starting' | 'thinking' | 'working' | 'finishing' | 'ended'

export type Feed = {
  items: readonly Item[]
  /** Messages that no agent has yet; they stand below everything else. */
  waiting: readonly ItemOf<'message'>[]
  activity: Activity
  turn: number
  /** When the running turn was asked for, milliseconds since 1970; 0 when that is among the events that were not loaded. */
  turnStartedAt: number
  usage: typeof NO_USAGE
  turnUsage: typeof NO_USAGE
  /** The agent's own list of steps, as it stands. */
  plan: readonly PlanStep[]
  /** Of the newest event. */
  lastSeq: number
  lastAt: number
  /** What the turn under way said of itself when the agent was done with it. */
  verdict: EventData<'turn.ended'> | null
}

export const EMPTY_FEED: Feed = {
  items: [],
  waiting: [],
  activity: 'waiting',
  turn: 0,
  turnStartedAt: 0,
  usage: NO_USAGE,
  turnUsage: NO_USAGE,
  plan: [],
  lastSeq: 0,
  lastAt: 0,
  verdict: null,
}

/**
 * The feed with these events after it; the first ones may come from the middle of a task. Items that did not change stay the same objects, and an event looks only at the last few of
 * them, so that a long feed grows as easily as a short one. What it has already, by `seq`, is left out.
 */
export const addEvents = (feed: Feed, events: readonly TaskEvent[]): Feed => {
  const fresh = events.filter(({ seq }) => seq > feed.lastSeq)
  if (fresh.length === 0) return feed
  const draft: Draft = { ...feed, items: [...feed.items] }
  for (const event of fresh) {
    draft.lastSeq = event.seq
    draft.lastAt = Date.parse(event.at)
    take(draft, event)
  }
  return draft
}

type Draft = Omit<Feed, 'items'> & { items: Item[] }

const take = (draft: Draft, event: TaskEvent): void => {
  const { lastAt: at, turn } = draft
  const key = String(event.seq)
  const push = (item: Item) => draft.items.push(item)
  switch (event.type) {
    case 'message.received':
      receive(draft, event.data, key)
      break
    case 'message.delivered':
      deliver(draft, event.data)
      break
    case 'message.withdrawn':
      withdraw(draft, event.data.messageId)
      break
    case 'attempt.started':
      beginTurn(draft, event.data.turn)
      draft.activity = 'starting'
      startAttempt(draft, event.attempt, event.data.runner, key)
      break
    case 'sandbox.ready':
      changeLast(draft, 'boot', (boot) => ({ ...boot, sandboxAt: at }))
      break
    case 'repo.cloned': {
      const { baseBranch, resumed } = event.data
      changeLast(draft, 'boot', (boot) => ({ ...boot, clonedAt: at, baseBranch, resumed }))
      break
    }
    case 'turn.started':
      draft.activity = 'thinking'
      changeLast(draft, 'boot', (boot) => ({ ...boot, agentAt: at }))
      break
    case 'text.written':
      draft.activity = 'thinking'
      if (event.data.text.trim() !== '') push({ kind: 'text', key, turn, text: event.data.text, answer: false })
      break
    case 'tool.started':
      draft.activity = 'working'
      startCall(draft, event.attempt, event.data, key)
      break
    case 'tool.ended':
      endCall(draft, event.data)
      break
    case 'usage.counted':
      draft.usage = addUsage(draft.usage, event.data)
      draft.turnUsage = addUsage(draft.turnUsage, event.data)
      break
    case 'host.blocked':
      block(draft, event.data, key)
      break
    case 'branch.pushed':
      push({ kind: 'pushed', key, turn, ...event.data })
      break
    case 'pull_request.opened':
      push({ kind: 'pull_request', key, turn, ...event.data })
      break
    case 'turn.ended':
      draft.turn = Math.max(turn, event.data.turn)
      draft.activity = 'finishing'
      conclude(draft, event.data, key)
      break
    case 'attempt.ended':
      if (event.data.outcome === 'interrupted') interrupt(draft, event.data, key)
      break
    case 'task.ended':
      end(draft, event.data, key)
      break
    case 'task.created':
    case 'checkpoint.saved':
      break
  }
}

const receive = (draft: Draft, data: EventData<'message.received'>, key: string): void => {
  const { messageId, clientId, text, turn } = data
  const mode = data.mode ?? null
  const item = { kind: 'message', key: messageId, turn, at: draft.lastAt, messageId, clientId, text, mode } as const
  if (mode !== null) {
    draft.waiting = [...draft.waiting, { ...item, state: 'waiting' }]
    return
  }
  beginTurn(draft, turn)
  draft.items.push({ ...item, state: 'delivered' }, waitingBoot(draft, key))
}

const deliver = (draft: Draft, { messageId, turn }: EventData<'message.delivered'>): void => {
  const message = draft.waiting.find((one) => one.messageId === messageId)
  if (!message) return
  draft.waiting = draft.waiting.filter((one) => one !== message)
  const begins = turn > draft.turn
  if (begins) beginTurn(draft, turn)
  const item = { ...message, key: messageId, turn, state: 'delivered', mode: begins ? null : message.mode } as const
  if (begins) draft.items.push(item, waitingBoot(draft, messageId))
  // The attempt may be the first to tell of the turn; its message still stands above it.
  else if (isFresh(draft)) draft.items.splice(-1, 0, item)
  else draft.items.push(item)
}

const withdraw = (draft: Draft, messageId: string): void => {
  const message = draft.waiting.find((one) => one.messageId === messageId)
  if (!message) return
  draft.waiting = draft.waiting.filter((one) => one !== message)
  draft.items.push({ ...message, turn: draft.turn, state: 'withdrawn' } satisfies Message & Item)
}

const beginTurn = (draft: Draft, turn: number): void => {
  if (turn <= draft.turn) {
    if (draft.activity === 'ended') Object.assign(draft, { activity: 'waiting', turnStartedAt: draft.lastAt, verdict: null })
    return
  }
  Object.assign(draft, { turn, activity: 'waiting', turnStartedAt: draft.lastAt, turnUsage: NO_USAGE, plan: [], verdict: null })
}

const waitingBoot = ({ turn, lastAt }: Draft, key: string): ItemOf<'boot'> => ({
  kind: 'boot',
  key: `boot-${key}`,
  turn,
  attempt: 0,
  queuedAt: lastAt,
  takenAt: null,
  sandboxAt: null,
  clonedAt: null,
  agentAt: null,
  runner: '',
  baseBranch: '',
  resumed: false,
  stopped: false,
})

const isFresh = ({ items, turn }: Draft): boolean => {
  const last = items.at(-1)
  return last?.kind === 'boot' && last.turn === turn && items.at(-2)?.turn !== turn
}

const startAttempt = (draft: Draft, attempt: number, runner: string, key: string): void => {
  const last = draft.items.at(-1)
  if (last?.kind !== 'boot' || last.attempt !== 0 || last.stopped) draft.items.push(waitingBoot(draft, key))
  changeLast(draft, 'boot', (boot) => ({ ...boot, attempt, runner, takenAt: draft.lastAt }))
}

const startCall = (draft: Draft, attempt: number, data: EventData<'tool.started'>, key: string): void => {
  const { callId, name, title, input } = data
  if (name === 'todo') {
    draft.plan = planOf(input) ?? draft.plan
    return
  }
  const call = { callId, attempt, name, title, input, startedAt: draft.lastAt, ended: null }
  // A blocked host stands below the work that met it, and does not cut it in two.
  const at = draft.items.at(-1)?.kind === 'blocked' ? -2 : -1
  if (draft.items.at(at)?.kind === 'work') changeLast(draft, 'work', (work) => ({ ...work, calls: [...work.calls, call] }))
  else draft.items.push({ kind: 'work', key, turn: draft.turn, calls: [call] })
}

const endCall = (draft: Draft, ended: EventData<'tool.ended'>): void => {
  if (ended.name === 'todo') return
  draft.activity = 'thinking'
  changeLast(draft, 'work', (work) => {
    const index = work.calls.findLastIndex(({ callId }) => callId === ended.callId)
    const call = work.calls[index]
    return call ? { ...work, calls: work.calls.with(index, { ...call, ended }) } : work
  })
}

const block = (draft: Draft, { host, method, advice }: EventData<'host.blocked'>, key: string): void => {
  const last = draft.items.at(-1)
  if (last?.kind !== 'blocked') {
    draft.items.push({ kind: 'blocked', key, turn: draft.turn, hosts: [{ host, method, advice, times: 1 }] })
    return
  }
  const known = last.hosts.findIndex((one) => one.host === host && one.method === method)
  const seen = last.hosts[known]
  const hosts = seen
    ? last.hosts.with(known, { ...seen, times: seen.times + 1 })
    : [...last.hosts, { host, method, advice, times: 1 }]
  changeLast(draft, 'blocked', (item) => ({ ...item, hosts }))
}

/** The summary is mostly the last text over again: then that text is the answer. */
const conclude = (draft: Draft, data: EventData<'turn.ended'>, key: string): void => {
  draft.verdict = data
  const summary = data.summary.trim()
  if (summary === '') return
  // 0: the turn's beginning is among the events that were not loaded.
  const at = draft.items.findLastIndex(({ kind, turn }) => kind === 'text' && (turn === draft.turn || turn === 0))
  const text = draft.items[at]
  if (text?.kind === 'text' && text.text.trim() === summary) draft.items[at] = { ...text, answer: true }
  else draft.items.push({ kind: 'text', key, turn: draft.turn, text: data.summary, answer: true })
}

const interrupt = (draft: Draft, { reason, message }: EventData<'attempt.ended'>, key: string): void => {
  stopBoot(draft)
  draft.items.push({ kind: 'interrupted', key, turn: draft.turn, reason, message }, waitingBoot(draft, key))
  draft.activity = 'waiting'
}

const end = (draft: Draft, data: EventData<'task.ended'>, key: string): void => {
  const { status, reason, branch } = data
  draft.turn = Math.max(draft.turn, data.turn)
  stopBoot(draft)
  draft.items.push({
    kind: 'end',
    key,
    turn: draft.turn,
    status,
    reason,
    branch,
    message: data.message ?? draft.verdict?.message ?? null,
    diff: draft.verdict?.diff ?? null,
    usage: draft.turnStartedAt === 0 ? null : draft.turnUsage,
    durationMs: draft.turnStartedAt === 0 ? null : Math.max(0, draft.lastAt - draft.turnStartedAt),
  })
  Object.assign(draft, { activity: 'ended', plan: [] })
}

const stopBoot = (draft: Draft): void => {
  const last = draft.items.at(-1)
  if (last?.kind === 'boot' && last.agentAt === null) changeLast(draft, 'boot', (boot) => ({ ...boot, stopped: true }))
}

const changeLast = <K extends Item['kind']>(draft: Draft, kind: K, change: (item: ItemOf<K>) => ItemOf<K>): void => {
  const index = draft.items.findLastIndex((item) => item.kind === kind)
  const item = draft.items[index]
  if (item) draft.items[index] = change(item as ItemOf<K>)
}
