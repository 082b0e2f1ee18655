/** What a person reads for each status of a task: in the app, in notifications and on the command line. */
export const STATUS_WORDS = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const

/** What a task of the demo cost, wherever a cost is shown: its model is a script, and its prices are made up. */
export const DEMO_COST = '$0 (demo)'
