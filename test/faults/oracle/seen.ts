import type { Usage } from '../../../contract/api/event.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import type { AttemptRow } from '../../../coordinator/store/attempts.ts'

/** An event without what only its place adds. `n` is its runner's number; null for an event of the coordinator, and where no number is shown. */
export type SeenEvent = { seq: number; attempt: number; type: string; data: Record<string, unknown>; n: number | null }

/** A task as the store has it. */
export type StoredRow = {
  status: TaskStatus
  reason: string | null
  attempt: number
  lastSeq: number
  costUsd: number
  attempts: Pick<AttemptRow, 'attempt' | 'last_n' | 'started_at' | 'ended_at' | 'outcome' | 'reason'>[]
  events: SeenEvent[]
}

/** One call as the model server got it. `hashes` name the conversation before message 0, 1, 2… and the whole. */
export type ModelCall = { at: number; hashes: readonly string[] }

/** One change of the task's branch in the bare repository, from its reflog. */
export type BranchMove = { before: string; after: string; forward: boolean }

/** Everything that is known of one task that the server accepted, from all sides. */
export type SeenTask = {
  name: string
  id: string
  /** How it may end. */
  deserves: readonly TaskStatus[]
  /** Whether more than one attempt would be a fault. */
  oneAttempt: boolean
  stored: StoredRow | null
  rest: SeenEvent[]
  /** By the socket client, which was cut off now and then. */
  heard: SeenEvent[]
  moves: BranchMove[]
  /** The branch's commit on the host; null: it is not there. */
  tip: string | null
  /** Commits of the branch that touch the ledger, and the task's lines in it. */
  ledgerCommits: number
  ledgerLines: number
  calls: ModelCall[]
}

/** What is left when all tasks have ended. */
export type SeenLeft = {
  /** Of our runners, running or not: `name (task, state)`. */
  containers: string[]
  /** In the runners' folders. */
  files: string[]
  /** Entries of the event stream that nobody acknowledged. */
  streamEntries: number
  /** Jobs of ended tasks that a runner could still take. */
  jobs: string[]
  /** What SQLite says of the database; `ok` if it is whole. */
  integrity: string
  /** What the strict model refused. */
  refusals: string[]
}

export type SeenUsage = Pick<Usage, 'costUsd'> & { estimated?: boolean }
