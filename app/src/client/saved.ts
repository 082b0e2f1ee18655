import { codeOf, isAway } from './api-error.ts'
import type { Pages } from './newer-task.ts'
import type { Storage } from './storage.ts'

/** An answer of the server. `asOf`: when it was saved, for one that does not come from the server now. */
export type Saved<T> = T & { asOf?: string }

/** Asks; gives what `keepAnswers` saved under this key when the server cannot be reached. */
export function savedWhenOffline<T extends object>(storage: Pick<Storage, 'read'>, key: string, ask: () => Promise<T>) {
  return async (): Promise<Saved<T>> => {
    try {
      return await ask()
    } catch (error) {
      const saved = isAway(error) || codeOf(error) === 'unavailable' ? await storage.read<Saved<T>>(`saved:${key}`) : null
      if (saved === null) throw error
      return saved
    }
  }
}

/** @returns the answer that a query has; of a list its newest page, which alone is saved */
export function firstOf(data: unknown): { asOf?: string } | undefined {
  return typeof data === 'object' && data !== null && 'pages' in data ? (data as Pages).pages[0] : (data as object | undefined)
}
