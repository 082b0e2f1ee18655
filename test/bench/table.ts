/** @param part 0.5 for the median, 0.99 for the 99th percentile */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const NOT_MEASURED = 'not measured'

export function milliseconds(values: readonly number[], part: number): string {
  return shown(percentile(values, part), 1, 'ms')
}

export function megabytes(amount: number | null): string {
  return amount === null ? NOT_MEASURED : `${amount} MB`
}

/** How many times the bare cost ours is, by the medians. */
export function ratio(ours: Measured, bare: Measured): string {
  return shown(median(ours) / median(bare), 2, '×')
}

type Measured = readonly number[] | number | null

function shown(value: number, digits: number, unit: string): string {
  return Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : NOT_MEASURED
}

function median(values: Measured): number {
  if (values === null) return Number.NaN
  return typeof values === 'number' ? values : percentile(values, 0.5)
}

/** A Markdown table; every column but the first is flushed right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(width[column] ?? 0) : cell.padStart(width[column] ?? 0))).join(' | ')} |`
  const rule = `| ${width.map((wide, column) => (column === 0 ? '-'.repeat(wide) : `${'-'.repeat(wide - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
