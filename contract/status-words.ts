/** What a person reads for each status of a task: in the app, in notifications and on the command line. */
export const STATUS_WORDS = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const
