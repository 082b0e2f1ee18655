/** Every name that two processes must agree on, once. Nothing here has an effect. */

/** The BullMQ queue; one job is one turn of one task. */
export const QUEUE_NAME = 'errand-turns'

/** Redis stream that carries signed events from runners to the coordinator. It contains only unacknowledged events. */
export const EVENT_STREAM = 'errand:events'

/** Pub/sub channel that wakes the coordinator's intake; its messages are empty. */
export const BELL_CHANNEL = 'errand:bell'

/** Pub/sub channel of text deltas: for the eye only, never stored, may be dropped. */
export const DELTA_CHANNEL = 'errand:deltas'

/** Pub/sub channel on which one runner hears acknowledgements and cancels. */
export function runnerChannel(runnerId: string): string {
  return `errand:runner:${runnerId}`
}

/** Socket.IO room of all sockets of one user. Only the server joins it. */
export function userRoom(userId: string): string {
  return `user:${userId}`
}

/** The sockets of one browser's session or of one API token, to cut them off when it is revoked. */
export function deviceRoom(deviceId: string): string {
  return `device:${deviceId}`
}

/** Socket.IO room of the sockets that watch one task; it carries deltas alone. Only the server joins it. */
export function taskRoom(taskId: string): string {
  return `task:${taskId}`
}

/** BullMQ job id of a turn: the same turn enqueued twice is one job. BullMQ allows no `:` in it. */
export function jobId(taskId: string, turn: number): string {
  return `${taskId}-${turn}`
}

/** A task's id whole: `tsk_` and 80 random bits in base 32. */
export function isTaskId(text: string): boolean {
  return /^tsk_[a-z2-7]{16}$/.test(text)
}

/** Where a task may push: every ref below this prefix. It ends in `/`, so that no other task's prefix begins with it. */
export function branchPrefix(taskId: string): string {
  return `errand/${taskId}/`
}

/** Labels on every container that a runner starts; nothing without them is ever touched. */
export const LABELS = { task: 'errand.task', attempt: 'errand.attempt', runner: 'errand.runner' } as const

/** User and group of the agent in a sandbox, and of its hands: everything that the repository can run. `worker-image/Dockerfile` makes them. */
export const AGENT_UID = 10_001
export const HANDS_UID = 10_002

/** Starts the hands in a sandbox, as their own user. */
export const HANDS_COMMAND: readonly string[] = ['node', '/opt/errand/agent.mjs', 'hands']

/** The sandbox's side of its one door. */
export const DOOR = {
  /** Mounted read-only from the runner's host. */
  directory: '/run/errand',
  /** The agent's way: the model, the conversation, artifacts. It needs the token. */
  socket: '/run/errand/door.sock',
  /** The way of the hands: this task's repository, registries and allowed hosts. */
  handsSocket: '/run/errand/hands.sock',
  /** Where the forwarder of the hands shows their way on 127.0.0.1. */
  port: 8080,
  /** The agent's environment variable with the attempt's random token, the only secret inside; it dies with the attempt. */
  tokenVariable: 'ERRAND_TASK_TOKEN',
} as const

/** The longest path of a unix socket, bytes (the kernel's `sun_path` without the final zero). */
export const SOCKET_PATH_BYTES = 107

/** The longest folder of a runner, bytes: its doors' sockets, `<folder>/doors/<12 digits>/hands.sock`, must fit. */
export const RUNNER_FOLDER_BYTES = SOCKET_PATH_BYTES - '/doors/0123456789ab/hands.sock'.length

/** Paths behind the door: `git` and `npm` on the way of the hands, all others on the agent's. */
export const DOOR_PATHS = {
  /** GET: the assignment as JSON. */
  assignment: '/task',
  /** GET: the conversation so far, as an earlier turn stored it; 404 if there is none. */
  transcript: '/transcript',
  /**
   * GET: messages to the running turn that are not delivered yet, `SteerMessage[]`. The gateway counts one as delivered when the model API took
   * a request that holds it. `?handed-out`: those that the agent was given and that are not delivered, withdrawn ones too.
   */
  messages: '/messages',
  /** GET: the attempt's money as `Money` (`sandbox.ts`), as the gateway counts it. */
  money: '/money',
  /** Base URL of the model API: POST `/llm/v1/messages`. */
  model: '/llm',
  /** Smart HTTP of this task's repository alone. */
  git: '/git/repository.git',
  /** GET `?url=`: a page of an allowed host, as text. */
  webFetch: '/web',
  /** npm's registry, GET and HEAD only. */
  npm: '/npm/',
  /** PUT: bytes that must outlive the sandbox, `/artifacts/<ArtifactKind>`. */
  artifacts: '/artifacts/',
  /**
   * PUT: what another host continues from if this one is lost, `/tail/<ArtifactKind>`, whole or as `Behind` says in the query. It waits for
   * nobody: {@link UNCONFIRMED} while the coordinator is away. GET `/tail/checkpoint`: that of an earlier attempt at this turn.
   */
  tail: '/tail/',
  /** POST: starts the hands again after they were killed. 204: they are starting. */
  hands: '/hands',
  /** GET: waits for the coordinator. 204: the attempt is the current one; 403: it is not; {@link UNCONFIRMED}: ask again. */
  lease: '/lease',
} as const

/**
 * The door's status for a request that must wait because the coordinator has not confirmed the attempt as the current one. The request had
 * no effect: wait at `DOOR_PATHS.lease`, then send it again. No other answer of the door has this status.
 */
export const UNCONFIRMED = 425

/** `error_code` of the gateway's 402, which the model API's own 402 never has: this task's budget does not allow the call. */
export const TASK_BUDGET_EXCEEDED = 'task_budget_exceeded'

/** The header with a runner's proof that it holds an attempt's lease, on every call about that attempt: `HeldAttempt.proof`. */
export const PROOF_HEADER = 'errand-proof'

/** Paths of the coordinator that only runners call, with `Authorization: Bearer <runner token>`. */
export const RUNNER_PATHS = {
  lease: '/runner/lease',
  renew: '/runner/renew',
  /** POST: the lease of a running attempt, for its runner that was restarted. */
  resume: '/runner/resume',
  /** GET: the newest conversation of the task, as a turn stored it at its end or while it ran. */
  transcript: (taskId: string, attempt: number): string => `/runner/transcripts/${taskId}/${attempt}`,
  /** GET: the newest checkpoint of the task. */
  checkpoint: (taskId: string, attempt: number): string => `/runner/checkpoints/${taskId}/${attempt}`,
  /** PUT, raw body; the query may have `Behind`. */
  artifact: (taskId: string, attempt: number, kind: string): string => `/runner/artifacts/${taskId}/${attempt}/${kind}`,
} as const
