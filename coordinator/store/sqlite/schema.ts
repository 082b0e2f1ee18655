import type { Generated } from 'kysely'
import type { Draining } from '../../../contract/api/overview.ts'
import type { Reason } from '../../../contract/api/reason.ts'
import type { Outcome, TaskStatus } from '../../../contract/api/status.ts'
import type { Effort } from '../../../contract/shared/models.ts'
import type { Unwell } from '../../../contract/wire/lease.ts'

/**
 * The tables, in types that two SQL dialects share: ids are text, times are milliseconds since 1970, JSON is text, booleans are 0 or 1.
 * Column names are snake_case here as in the database, so that a query in the log can be found in the code.
 */
export type Database = {
  users: {
    id: string
    /** `local:owner` or `github:<numeric id>`. */
    identity: string
    name: string
    avatar_url: string | null
    admin: number
    /** The GitHub token of this user, sealed; null for the local owner. */
    github_token: string | null
    /** When the queue last got a task of this user: the user who has waited longest is next. */
    last_released_at: number
    /** The budget of a new task that names none; null: the server's default. */
    default_budget_usd: number | null
    /** What this user's deleted tasks had cost. */
    deleted_cost_usd: Generated<number>
    created_at: number
  }
  sessions: { id: string; user_id: string | null; data: string; expires_at: number }
  api_tokens: {
    id: string
    user_id: string
    name: string
    /** SHA-256, hex; the token itself is not stored. */
    token_hash: string
    created_at: number
    last_used_at: number | null
  }
  sign_in_links: { code_hash: string; user_id: string; expires_at: number }
  /** One row: a known text, sealed with the server's secret key. */
  key_check: { sealed: string }
  /** Only in a copy: when it was made. The first start on it drops the table. */
  copy_mark: { copied_at: number }
  credentials: { user_id: string; host: string; username: string | null; token: string; created_at: number }
  projects: { id: string; user_id: string; repo_url: string; name: string; created_at: number }
  tasks: {
    id: string
    user_id: string
    client_id: string | null
    repo_url: string
    base_branch: string | null
    branch: string
    prompt: string
    model: string
    /** Null: the model's own. */
    effort: Effort | null
    budget_usd: number
    demo: number
    status: TaskStatus
    reason: Reason | null
    error: string | null
    turn: number
    /** Number of the newest attempt. */
    attempt: number
    last_seq: number
    /** What the data of its events takes. */
    event_bytes: number
    /** The message that began the current turn. */
    message_id: string | null
    /** The size of the change on the branch, after the newest turn that reported one. */
    diff_files: number | null
    diff_insertions: number | null
    diff_deletions: number | null
    /** Set while the queue has the current turn. */
    released_at: number | null
    cancel_requested_at: number | null
    /** When the queue brings the turn back that waits for the model; null unless it does. A time that has come: at once. */
    waiting_until: number | null
    /** The last turn whose end the user was told of, or need not be. */
    told_turn: number
    pull_request_url: string | null
    input_tokens: number
    output_tokens: number
    cache_read_tokens: number
    cache_write_tokens: number
    cost_usd: number
    created_at: number
    started_at: number | null
    completed_at: number | null
    /** When a person deleted it: it is no longer shown, and is being removed. */
    deleted_at: number | null
  }
  /** Messages of people to tasks. */
  inbox: {
    id: string
    task_id: string
    client_id: string | null
    /** The `seq` of its `message.received`, which is its place in the order. */
    seq: number
    text: string
    /** Null: it began a turn at once. Otherwise it was sent while a turn went on. */
    mode: 'steer' | 'queue' | null
    state: 'waiting' | 'delivered' | 'withdrawn'
    /** The turn that got it. */
    turn: number | null
    created_at: number
    delivered_at: number | null
  }
  attempts: {
    task_id: string
    attempt: number
    turn: number
    runner_id: string
    runner_name: string
    /** Every event up to this one, by the runner's numbers, is stored. */
    last_n: number
    lease_until: number
    /** 1: only who proves to hold its lease may speak for it. 0: from before proofs. */
    proven: number
    started_at: number
    ended_at: number | null
    /** When its turn was to come back, if it ended because the model did not answer. */
    waiting_until: number | null
    outcome: Outcome | null
    reason: Reason | null
  }
  events: {
    /** The rowid of SQLite; no client sees it. */
    id: Generated<number>
    task_id: string
    seq: number
    attempt: number
    /** The number its runner gave it; null for an event of the coordinator. */
    n: number | null
    type: string
    at: number
    data: string
  }
  /** Facts about the whole server that hold now, such as `disk_low`. */
  server_state: { name: string; since: number }
  artifacts: { task_id: string; attempt: number; kind: string; bytes: number; created_at: number }
  runners: {
    id: string
    name: string
    slots: number
    seen_at: number
    /** The version of the contract that it speaks. */
    contract: Generated<number>
    /** How an administrator takes it out of service; null: it serves. */
    draining: Draining | null
    /** Why it takes no tasks; both null while it is well. */
    unwell_reason: Unwell['reason'] | null
    unwell_message: string | null
  }
  push_subscriptions: {
    /** The address of one browser at its push service; it identifies that browser. */
    endpoint: string
    user_id: string
    /** The device that subscribed, as in `Device`. */
    device_id: string
    p256dh: string
    auth: string
    created_at: number
  }
  notification_settings: {
    user_id: string
    on_done: number
    on_failed: number
    on_attention: number
    webhook_url: string | null
  }
}
