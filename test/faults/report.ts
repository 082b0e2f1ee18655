import { percentile, table } from '../bench/table.ts'
import type { SeenTask } from './oracle/seen.ts'

/** What a program of faults came to, whichever way it mixed them. */
export type Outcome = {
  title: string
  seed: number
  seconds: number
  /** By kind of fault: how often it was done, and how long readers saw nothing new, milliseconds. */
  faults: ReadonlyMap<string, { times: number; silences: number[] }>
  tasks: readonly SeenTask[]
  violations: readonly string[]
}

/** The report in Markdown: counts by kind, ends, attempts, how long readers waited, and every violation. */
export function reportOf({ title, seed, seconds, faults, tasks, violations }: Outcome): string {
  const times = [...faults.values()].reduce((sum, one) => sum + one.times, 0)
  const rows = [...faults].map(([name, { times, silences }]) => [name, String(times), ...timesOf(silences)])
  const ends = countBy(tasks, ({ stored }) => (stored ? `${stored.status} (${stored.reason})` : 'lost'))
  const attempts = countBy(tasks, ({ stored }) => `${stored?.attempts.length ?? 0}`)
  const events = tasks.reduce((sum, { stored }) => sum + (stored?.events.length ?? 0), 0)
  return [
    `# ${title}`,
    '',
    `Seed ${seed}, ${seconds.toFixed(0)} s, ${times} faults, ${tasks.length} tasks, ${events} events, ${violations.length} violations.`,
    '',
    table(['fault', 'times', 'longest silence, median', 'p95', 'most'], rows),
    '',
    table(['end', 'tasks'], ends),
    '',
    table(['attempts', 'tasks'], attempts),
    '',
    violations.length === 0 ? 'No violation.' : ['Violations:', '', ...violations.map((text) => `- ${text}`)].join('\n'),
    '',
  ].join('\n')
}

function timesOf(silences: readonly number[]): string[] {
  if (silences.length === 0) return ['–', '–', '–']
  return [0.5, 0.95, 1].map((part) => `${(percentile(silences, part) / 1000).toFixed(1)} s`)
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): string[][] {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([key, count]) => [key, String(count)])
}
