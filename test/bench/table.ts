export type Row = { what: string; bare: string; ours: string; ratio: string }

/** @param part 0.5 for the median, 0.99 for the 99th percentile */
export const percentile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const milliseconds = (values: readonly number[], part: number): string => `${percentile(values, part).toFixed(1)} ms`

/** How many times the bare cost ours is, by the medians. */
export const ratio = (ours: readonly number[] | number, bare: readonly number[] | number): string =>
  `${(median(ours) / median(bare)).toFixed(2)} ×`

const median = (values: readonly number[] | number): number => (typeof values === 'number' ? values : percentile(values, 0.5))

/** A Markdown table. */
export const table = (rows: readonly Row[]): string => {
  const lines = [{ what: 'what', bare: 'bare', ours: 'ours', ratio: 'ratio' }, ...rows]
  const width = (key: keyof Row) => Math.max(...lines.map((line) => line[key].length))
  const line = (row: Row) =>
    `| ${row.what.padEnd(width('what'))} | ${row.bare.padStart(width('bare'))} | ${row.ours.padStart(width('ours'))} | ${row.ratio.padStart(width('ratio'))} |`
  const rule = `| ${'-'.repeat(width('what'))} | ${'-'.repeat(width('bare') - 1)}: | ${'-'.repeat(width('ours') - 1)}: | ${'-'.repeat(width('ratio') - 1)}: |`
  const [head, ...rest] = lines.map(line)
  return [head, rule, ...rest].join('\n')
}
