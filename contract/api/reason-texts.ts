/** True also when nothing was changed, or nothing could be saved. */
const WORK = 'Work that was saved by then, if any, is on the branch.'

/** Why a task waits or ended, in plain words for the person who sent it: what happened and what to do. */
export const REASONS = {
  // waiting
  queued: 'Waiting for its turn.',
  no_runner: 'Waiting: no runner is connected. Start one (`npm start`, or a runner on another host).',
  runner_unwell:
    'Waiting: the connected runner has a fault on its own host and takes nothing until that is mended. The admin screen and the log of the runner say what it is.',
  retrying: 'Something went wrong on our side. It will be retried automatically.',
  // interrupted: ours. Whether it is retried is not said here, since the attempt may have been the last.
  runner_lost: 'The runner that worked on it is gone.',
  runner_stopped: 'The runner that worked on it was stopped.',
  engine_unavailable: 'The Docker engine on the runner does not answer. Check `docker info` on that host.',
  sandbox_killed: 'The sandbox was killed from outside. If this happens often, check whether its host runs out of memory.',
  image_missing:
    'The sandbox image is not on the runner. Run `npm start` or `npm run runner` there: both build it. With Docker Compose: `docker compose build worker-image`.',
  host_disk_full: 'The disk of the runner is full. Free some space on that host.',
  coordinator_away:
    'The coordinator could not be reached to confirm that the work still counts. What was done is kept as a git bundle: fetch it with `errand bundle`.',
  // completed
  done: 'Completed.',
  no_changes: 'Completed: the agent ended without changing a file.',
  // failed: the task's fault, not tried again
  repository_not_found:
    'The repository was not found, or your access does not reach it. Check the address, and the token for its host in your git credentials.',
  credentials_refused:
    'The git host refused the credentials. Set a valid token for this host in your git credentials, then send the task again.',
  base_branch_not_found:
    'The base branch does not exist in the repository. Name one that does, or leave it out for the default branch.',
  git_unavailable: 'The git host could not be reached or did not answer properly. Try again later.',
  push_refused:
    "The git host refused the push. The work is kept as a git bundle: fetch it with `errand bundle`. Check the token's right to write.",
  model_key_refused: 'The model API refused the key. Ask whoever runs this server to check ANTHROPIC_API_KEY.',
  model_unavailable: `The model API stayed unavailable. ${WORK} Try again later.`,
  model_refused: 'The model declined to go on with this task.',
  model_request_invalid: 'The model API refused the request. Ask whoever runs this server to look at the log of this task.',
  protocol_error: `The model API answered with something that cannot be understood. ${WORK} Try again.`,
  budget_exceeded: `The budget of this task is used up. ${WORK} Retry it with more budget to go on.`,
  time_exceeded: `The time limit of this task is used up. ${WORK}`,
  turns_exceeded: `The agent needed more steps than it may take. ${WORK}`,
  stuck: `The agent repeated itself without getting further. ${WORK}`,
  context_exceeded: `The conversation grew past what the model can read. ${WORK} Say what is left in a message: it begins a fresh conversation on the same branch.`,
  out_of_memory: 'The sandbox ran out of memory. Make the task smaller, or give sandboxes more (RUNNER_MEMORY_MB).',
  out_of_disk: 'The sandbox ran out of disk. Make the task smaller, or give sandboxes more (RUNNER_WORKSPACE_MB).',
  sandbox_crashed: 'The sandbox ended in a way that was not expected. Send the task again; the log of the runner says more.',
  abandoned:
    "Errand gave up: the task was interrupted too often on our side. Whoever runs this server finds the cause in the runner's log.",
  // cancelled
  cancelled_by_user: 'Cancelled.',
} as const

/** What follows the reason of an interruption while the task waits for its next attempt. */
export const WILL_BE_RETRIED = 'It will be retried automatically.'
export const INTERRUPTIONS: readonly string[] = [
  'runner_lost',
  'runner_stopped',
  'engine_unavailable',
  'sandbox_killed',
  'image_missing',
  'host_disk_full',
  'coordinator_away',
] satisfies (keyof typeof REASONS)[]
