import type { SpawnOptions } from 'node:child_process'

export function showThatItLives(detail?: () => string, everyMs?: number): () => void
export function runShown(
  file: string,
  args: readonly string[],
  options?: Pick<SpawnOptions, 'cwd' | 'env'> & { detail?: (line: string) => string | null; everyMs?: number },
): Promise<{ status: number | null; lines: string[]; stdout: string[] }>
