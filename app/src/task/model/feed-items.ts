import type { DiffStat, EventData, Usage } from '../../../../contract/api/event.ts'
import type { Reason } from '../../../../contract/api/reason.ts'
import type { TaskStatus } from '../../../../contract/api/status.ts'
import { wasCutOff } from '../../../../contract/api/tool-output.ts'

/** What the feed shows, one after the other. `key` stays the same while an item grows; a changed item is a new object. */
export type Item = { key: string; turn: number } & (
  | MessageItem
  | BootItem
  | TextItem
  | WorkItem
  | BlockedItem
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
  /** Null: it began its turn. */
  mode: 'steer' | 'queue' | null
  state: 'waiting' | 'delivered' | 'withdrawn'
}

/** The way to a working agent; each step is the time it was done, milliseconds since 1970, or null. */
type BootItem = {
  kind: 'boot'
  /** 0 while nothing took it. */
  attempt: number
  /** Which try at its turn it is; null for a later one whose number is not known, because earlier events were not loaded. */
  nth: number | null
  queuedAt: number
  takenAt: number | null
  sandboxAt: number | null
  clonedAt: number | null
  agentAt: number | null
  runner: string
  baseBranch: string
  resumed: boolean
  /** It ended before the agent began. */
  stopped: boolean
}

/** `answer`: the agent's own account at the end of its turn. */
type TextItem = { kind: 'text'; text: string; answer: boolean }

export type Call = {
  callId: string
  attempt: number
  name: string
  title: string
  input: unknown
  startedAt: number
  ended: EventData<'tool.ended'> | null
  /** A person stopped the turn while it ran. */
  cancelled: boolean
}
/** Calls with nothing said between them. */
type WorkItem = { kind: 'work'; calls: readonly Call[] }

type BlockedItem = { kind: 'blocked'; hosts: readonly { host: string; method: string; advice: string; times: number }[] }
type InterruptedItem = { kind: 'interrupted'; reason: Reason; message: string | null }
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
  /** Of this turn; null when its beginning was not loaded. */
  usage: Usage | null
  durationMs: number | null
}

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 }

/** @returns whether a call went wrong by itself, as far as it is over */
export function hasFailed({ ended }: Call): boolean {
  return ended !== null && (!ended.ok || (ended.exitCode ?? 0) !== 0) && !wasCutOff(ended)
}
