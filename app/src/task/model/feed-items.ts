import type { DiffStat, EventData, Usage } from '../../../../contract/api/event.ts'
import type { Reason } from '../../../../contract/api/reason.ts'
import type { TaskStatus } from '../../../../contract/api/status.ts'
import { wasCutOff } from '../../../../contract/api/tool-output.ts'

/** An item of the feed. `key` stays the same while the item grows; a changed item is a new object. */
export type Item = { key: string; turn: number } & (
  | MessageItem
  | BootItem
  | TextItem
  | NoteItem
  | WorkItem
  | BlockedItem
  | CompactedItem
  | InterruptedItem
  | PushedItem
  | PullRequestItem
  | EndItem
)
export type ItemOf<K extends Item['kind']> = Extract<Item, { kind: K }>

type MessageItem = { kind: 'message'; at: number } & Message

export type Message = {
  messageId: string
  clientId: string | null
  text: string
  /** Null if the message started its turn. */
  mode: 'steer' | 'queue' | null
  state: 'waiting' | 'delivered' | 'withdrawn'
}

/** The steps to a working agent: when each was done, in milliseconds since 1970, or null. */
type BootItem = {
  kind: 'boot'
  /** 0 until a runner takes it. */
  attempt: number
  /** The number of the try at its turn; null if it is a later one and earlier events are not loaded. */
  nth: number | null
  queuedAt: number
  takenAt: number | null
  sandboxAt: number | null
  clonedAt: number | null
  agentAt: number | null
  runner: string
  baseBranch: string
  resumed: boolean
  /** Whether it ended before the agent started. */
  stopped: boolean
}

/** `answer`: the agent's own report at the end of its turn. `cutOff`: the agent was stopped while it wrote this. */
type TextItem = { kind: 'text'; text: string; answer: boolean; cutOff: boolean }

/** A sentence of Errand's own about the conversation. */
type NoteItem = { kind: 'note'; text: string }

export type Call = {
  callId: string
  attempt: number
  name: string
  title: string
  input: unknown
  startedAt: number
  ended: EventData<'tool.ended'> | null
  /** Whether the user cancelled the turn while the call ran. */
  cancelled: boolean
}
/** Calls without a text between them. */
type WorkItem = { kind: 'work'; calls: readonly Call[] }

type BlockedItem = { kind: 'blocked'; hosts: readonly { host: string; method: string; advice: string; times: number }[] }
/** `until`: when the queue brings it back, if it freed its slot because the model did not answer. */
type InterruptedItem = { kind: 'interrupted'; reason: Reason; message: string | null; until: string | null }
type CompactedItem = { kind: 'compacted' } & EventData<'context.compacted'>
type PushedItem = { kind: 'pushed'; branch: string; commit: string }
type PullRequestItem = { kind: 'pull_request'; url: string; number: number }

export type EndItem = {
  kind: 'end'
  seq: number
  status: TaskStatus
  reason: Reason
  message: string | null
  branch: string | null
  diff: DiffStat | null
  /** True if `diff` is the agent's own account: nothing was pushed that Errand could read. */
  isOwnAccount: boolean
  /** The usage of this turn; null if its beginning is not loaded. */
  usage: Usage | null
  durationMs: number | null
}

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 }

/** @returns whether a call has ended and failed by itself, rather than being cut off */
export function hasFailed({ ended }: Call): boolean {
  return ended !== null && (!ended.ok || (ended.exitCode ?? 0) !== 0) && !wasCutOff(ended)
}
