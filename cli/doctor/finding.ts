/** What one check found: `warn` works, but not for long or not well; `fail` does not work. */
export type Finding = {
  name: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** What to do; absent if all is well. */
  cure?: string
}

/** A check fails with this for a fault that it knows. */
export class Ill extends Error {
  override name = 'Ill'
  readonly cure: string
  readonly state: 'warn' | 'fail'

  constructor(found: string, cure: string, state: 'warn' | 'fail' = 'fail') {
    super(found)
    this.cure = cure
    this.state = state
  }
}

/** Whatever hangs counts as broken. */
export const PATIENCE_MS = 10_000

/**
 * Runs one check. Never throws.
 * @param look returns what is well, or throws {@link Ill}
 * @param cure for a fault that the check does not know
 */
export async function examine(
  name: string,
  look: () => Promise<string>,
  cure: string,
  patienceMs = PATIENCE_MS,
): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Ill(`no answer within ${patienceMs / 1_000} s`, cure)), patienceMs)
  })
  try {
    return { name, state: 'ok', found: await Promise.race([look(), late]) }
  } catch (error) {
    if (error instanceof Ill) return { name, state: error.state, found: error.message, cure: error.cure }
    return { name, state: 'fail', found: reasonOf(error), cure }
  } finally {
    clearTimeout(timer)
  }
}

/** fetch says only that it failed; its cause says why. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: NodeJS.ErrnoException; message?: string }
  return cause?.message || cause?.code || message || String(error)
}
