import type { EventData, TaskEvent, Usage } from '../../contract/api/event.ts'

export type OpenTool = { callId: string; name: string; title: string; input: unknown; startedAt: number }

/** What a list of events amounts to so far. Times are milliseconds since 1970, by the events' own clock. */
export type View = {
  taskId: string
  created: EventData<'task.created'> | null
  createdAt: number
  attempt: number
  /** Whether an attempt at this turn was interrupted: the next one is another try. */
  interrupted: boolean
  /** When the newest event happened. */
  at: number
  stage: 'waiting' | 'starting' | 'cloning' | 'working' | 'closing' | 'ended'
  openTools: readonly OpenTool[]
  /** Why the agent waits for the model; null while it does not. */
  modelWait: EventData<'model.waiting'> | null
  /** When the turn comes back that freed its slot meanwhile; null if it did not. */
  parkedUntil: number | null
  usage: Usage
  /** The last text that the agent wrote; its summary is usually the same. */
  lastText: string
  pushed: EventData<'branch.pushed'> | null
  /** Text of the messages that wait, by id. */
  waiting: ReadonlyMap<string, string>
  turn: EventData<'turn.ended'> | null
  end: EventData<'task.ended'> | null
}

export function emptyView(): View {
  return {
    taskId: '',
    created: null,
    createdAt: 0,
    attempt: 0,
    interrupted: false,
    at: 0,
    stage: 'waiting',
    openTools: [],
    modelWait: null,
    parkedUntil: null,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 },
    lastText: '',
    pushed: null,
    waiting: new Map(),
    turn: null,
    end: null,
  }
}

/** The view after one more event. */
export function advance(view: View, event: TaskEvent): View {
  const at = Date.parse(event.at)
  const next = { ...view, at, attempt: event.attempt || view.attempt }
  switch (event.type) {
    case 'task.created':
      return { ...next, taskId: event.taskId, created: event.data, createdAt: at }
    case 'message.received':
      if (event.data.mode) return { ...next, waiting: new Map(view.waiting).set(event.data.messageId, event.data.text) }
      return { ...next, stage: 'waiting', turn: null, end: null }
    case 'message.delivered': {
      const waiting = without(view.waiting, event.data.messageId)
      return view.end ? { ...next, waiting, stage: 'waiting', turn: null, end: null } : { ...next, waiting }
    }
    case 'message.withdrawn':
      return { ...next, waiting: without(view.waiting, event.data.messageId) }
    case 'attempt.started':
      return { ...next, stage: 'starting', openTools: [], modelWait: null, parkedUntil: null }
    case 'sandbox.ready':
      return { ...next, stage: 'cloning' }
    case 'repo.cloned':
      return { ...next, stage: 'working' }
    case 'text.written':
      return { ...next, lastText: event.data.text }
    case 'tool.started':
      return { ...next, openTools: [...view.openTools, { ...event.data, startedAt: at }] }
    case 'tool.ended':
      return { ...next, openTools: view.openTools.filter((tool) => tool.callId !== event.data.callId) }
    case 'model.waiting':
      return { ...next, modelWait: event.data }
    case 'model.resumed':
      return { ...next, modelWait: null }
    case 'usage.counted':
      return { ...next, usage: add(view.usage, event.data) }
    case 'branch.pushed':
      return { ...next, pushed: event.data }
    case 'turn.ended':
      return { ...next, stage: 'closing', turn: event.data, openTools: [] }
    case 'attempt.ended':
      if (event.data.outcome === 'interrupted')
        return { ...next, stage: 'waiting', interrupted: true, openTools: [], parkedUntil: timeOf(event.data.until) }
      return { ...next, stage: 'closing', openTools: [] }
    case 'task.ended':
      return { ...next, stage: 'ended', interrupted: false, end: event.data }
    default:
      return next
  }
}

function timeOf(until: string | undefined): number | null {
  return until === undefined ? null : Date.parse(until)
}

function without(waiting: ReadonlyMap<string, string>, messageId: string): ReadonlyMap<string, string> {
  return new Map([...waiting].filter(([id]) => id !== messageId))
}

function add(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costUsd: a.costUsd + b.costUsd,
  }
}
