import { percentile, table } from '../bench/table.ts'

export type Run = { task: string; fault: string | null; costUsd: number; steps: number; seconds: number }

export type Bounds = {
  /** How often each task runs, and how many run at a time. */
  times: number
  parallel: number
  /** In all, and for one run, US dollars. A run that might exceed the first is not begun. */
  budgetUsd: number
  taskBudgetUsd: number
  /** No run begins after this. */
  over: AbortSignal
}

/** Runs every task once, then every task again, until all is done or a bound is reached. @returns the runs, in the order of their ends */
export async function runSuite<T>(tasks: readonly T[], bounds: Bounds, run: (task: T) => Promise<Run>): Promise<Run[]> {
  const left = Array.from({ length: bounds.times }, () => tasks).flat()
  const runs: Run[] = []
  /** What has been spent, and what the runs under way may spend. */
  let heldUsd = 0
  const work = async () => {
    while (!bounds.over.aborted && heldUsd + bounds.taskBudgetUsd <= bounds.budgetUsd) {
      const task = left.shift()
      if (task === undefined) return
      heldUsd += bounds.taskBudgetUsd
      const done = await run(task)
      heldUsd += done.costUsd - bounds.taskBudgetUsd
      runs.push(done)
    }
  }
  await Promise.all(Array.from({ length: bounds.parallel }, work))
  return runs
}

const HEAD = ['task', 'success', 'median cost', 'median steps', 'median time'] as const

/** @returns the table of the runs and what they come to, and whether every task succeeded every time */
export function report(names: readonly string[], runs: readonly Run[], times: number): { text: string; ok: boolean } {
  const row = (what: string, those: readonly Run[], wanted: number) => [
    what,
    `${those.filter(({ fault }) => fault === null).length}/${wanted}`,
    shown(
      those,
      ({ costUsd }) => costUsd,
      (usd) => `$${usd.toFixed(4)}`,
    ),
    shown(those, ({ steps }) => steps, String),
    shown(
      those,
      ({ seconds }) => seconds,
      (seconds) => `${seconds.toFixed(1)} s`,
    ),
  ]
  const rows = names.map((name) =>
    row(
      name,
      runs.filter(({ task }) => task === name),
      times,
    ),
  )
  const wanted = names.length * times
  const total = `$${runs.reduce((sum, { costUsd }) => sum + costUsd, 0).toFixed(2)} in all`
  const missing = wanted - runs.length
  return {
    text: [
      table(HEAD, [...rows, row('all', runs, wanted)]),
      `\n${total}${missing > 0 ? `; ${missing} of ${wanted} runs were not begun: the budget or the time was used up, or somebody stopped the suite` : ''}`,
    ].join('\n'),
    ok: missing === 0 && runs.every(({ fault }) => fault === null),
  }
}

function shown(runs: readonly Run[], of: (run: Run) => number, spell: (value: number) => string): string {
  return runs.length === 0 ? '–' : spell(percentile(runs.map(of), 0.5))
}
