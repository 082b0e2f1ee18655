/** Keeps what the agent's tools wrote, for the look before the hand-over. */
export type Touched = {
  /** Call it when a call has ended. */
  note: (call: { name: string; input: unknown }, ok: boolean) => void
  /** @returns paths as the model gave them */
  written: () => string[]
  /** @returns paths that were written after the last command */
  untested: () => string[]
  /** Whether any command ran at all. */
  hasRun: () => boolean
}

const WRITES: readonly string[] = ['write', 'edit']
const RUNS: readonly string[] = ['bash']

export function createTouched(): Touched {
  const written = new Set<string>()
  const untested = new Set<string>()
  let hasRun = false
  return {
    note: ({ name, input }, ok) => {
      if (RUNS.includes(name)) {
        hasRun = true
        untested.clear()
      }
      const path = WRITES.includes(name) && ok ? (input as { file_path?: unknown }).file_path : null
      if (typeof path !== 'string') return
      written.add(path)
      untested.add(path)
    },
    written: () => [...written],
    untested: () => [...untested],
    hasRun: () => hasRun,
  }
}
