/** True also when the agent changed nothing, or nothing could be saved. */
const WORK = 'Any work saved so far is on the branch.'

/** Why a task waits or ended, in plain words for the person who sent it: what happened, and what to do. */
export const REASONS = {
  // waiting
  queued: 'Waiting in the queue.',
  no_runner: 'Waiting: no runner is connected. Start one with `npm start`, or on another host.',
  runner_unwell:
    'Waiting: the connected runner has a problem on its host. The administrator of this server sees it on the admin screen.',
  coordinator_disk_full:
    'Waiting: the disk of this server is almost full. Its administrator must free some space; then it goes on by itself.',
  runner_outdated: 'Waiting: every connected runner is older than this server. Update the runners, and start them again.',
  runner_draining: 'Waiting: every connected runner is being taken out of service. An administrator can start another one.',
  retrying: 'Something went wrong on our side. Retrying automatically.',
  model_waiting: 'Waiting for the model, which does not answer. The work so far is saved, and continues by itself.',
  // interrupted: our fault. These texts promise no retry, since the attempt may have been the last.
  runner_lost: 'The runner was lost.',
  runner_stopped: 'The runner was stopped.',
  engine_unavailable: 'The Docker engine on the runner does not respond. Check `docker info` on that host.',
  sandbox_killed: 'The sandbox was killed from outside. If this happens often, check whether its host runs out of memory.',
  image_missing:
    'The sandbox image is not on the runner. To build it, run `npm start` or `npm run runner` there; with Docker Compose, run `docker compose build worker-image`.',
  host_disk_full: 'The disk of the runner is full. Free some space on that host.',
  coordinator_away:
    'The coordinator could not be reached to confirm that the work still counts. The work is saved as a git bundle: fetch it with `errand bundle`.',
  // completed
  done: 'Completed.',
  no_changes: 'Completed: the agent changed no files.',
  // failed: the task's fault, not tried again
  repository_not_found:
    'Repository not found, or you have no access to it. Check the address, and the token for its host under Git access in the settings.',
  credentials_refused:
    'The git host refused your credentials. Set a valid token for this host under Git access in the settings, then retry the task.',
  base_branch_not_found:
    'The base branch does not exist in the repository. Name an existing branch, or leave it out to use the default branch.',
  git_unavailable: 'The git host could not be reached, or did not answer properly. Try again later.',
  checkout_failed: 'The repository could not be checked out in the sandbox. The message says why.',
  commit_failed:
    'The work could not be committed: the repository in the sandbox was damaged. Earlier commits are on the branch. Send the task again.',
  conflicts_left:
    'Not done: the agent left a merge with conflicts. The branch is as it was before. Send a message that says how to resolve them.',
  not_delivered: 'Not done: nothing that the agent made could be put on the branch. The message says why.',
  push_refused:
    'The git host refused the push. The work is saved as a git bundle: fetch it with `errand bundle`. Check that your token may write.',
  nothing_pushed:
    'The agent reported a change, but nothing reached the git host. Do not rely on its summary. Send the task again.',
  model_key_refused: 'The model API refused the key. The administrator of this server must check ANTHROPIC_API_KEY.',
  model_payment_refused:
    'The model API asked for a payment. The administrator of this server must check its billing there. Then retry the task.',
  model_credit_empty:
    "This server's account at the model API has no credit left, or reached its limit. The administrator must add credit or raise it. Then retry the task.",
  model_not_found:
    "The model API does not know the task's model, or this server's key may not use it. Retry the task with another model.",
  model_unavailable: `The model API stayed unavailable. ${WORK} Try again later.`,
  model_refused: `The model declined to answer. ${WORK} Send a message that leaves that part out or says it differently.`,
  model_request_invalid: `The model API rejected the request, and changing the conversation did not help. ${WORK} Send a message to try again, or send the task to another model.`,
  protocol_error: `The model API gave an answer that Errand does not understand. ${WORK} Try again.`,
  budget_exceeded: `The budget of this task is used up. ${WORK} To continue, add to the budget and retry.`,
  time_exceeded: `The task reached its time limit. ${WORK}`,
  steps_exceeded: `The agent reached its limit of steps. ${WORK}`,
  stuck: `The agent repeated itself without making progress. ${WORK}`,
  context_exceeded: `The conversation became too long for the model. ${WORK} To continue, send a message that says what is left: it starts a fresh conversation on the same branch.`,
  out_of_memory: 'The sandbox ran out of memory. Make the task smaller, or give sandboxes more memory (RUNNER_MEMORY_MB).',
  out_of_disk: 'The disk of the sandbox is full. Give sandboxes more space (RUNNER_WORKSPACE_MB), or make the task smaller.',
  sandbox_crashed: `The sandbox ended unexpectedly. ${WORK} Retry the task; if it happens again, tell the administrator of this server.`,
  abandoned:
    'Errand gave up: the task was interrupted too often on our side. Tell the administrator of this server before you send it once more.',
  restored:
    'This server was restored from a backup. Errand did not run this again by itself, because its work may already be done. Look at the branch, then retry the task to run it.',
  // cancelled
  cancelled_by_user: 'Cancelled.',
} as const

/** Why an agent waits for the model, in plain words. */
export const MODEL_WAITS = {
  overloaded: 'The model API is overloaded.',
  rate_limited: 'The model API takes no more requests from this server for a while.',
  unavailable: 'The model API has a fault of its own.',
  unreachable: 'The connection to the model API broke.',
  silent: 'The model API stopped writing.',
  garbled: 'The model API gave an answer that makes no sense.',
} as const

export const INTERRUPTIONS: readonly string[] = [
  'runner_lost',
  'runner_stopped',
  'engine_unavailable',
  'sandbox_killed',
  'image_missing',
  'host_disk_full',
  'coordinator_away',
] satisfies (keyof typeof REASONS)[]

/** Names that earlier versions gave to reasons. Devices, spools and clients may still have them. */
export const FORMER_REASONS: Readonly<Record<string, keyof typeof REASONS>> = { turns_exceeded: 'steps_exceeded' }

/** @returns the text of a reason by its present or a former name; empty for one that only a newer version knows */
export function textOfReason(reason: string): string {
  const texts: Readonly<Record<string, string>> = REASONS
  return texts[FORMER_REASONS[reason] ?? reason] ?? ''
}
