import { codeOf } from './api-error.ts'
import type { Storage } from './storage.ts'

/** An answer of the server. `asOf`: when it was saved, for one that does not come from the server now. */
export type Saved<T> = T & { asOf?: string }

/** Saves every good answer; gives the saved one when the server cannot be reached. @param keep false for what is only a part of it */
export const savedWhenOffline =
  <T extends object>(storage: Pick<Storage, 'read' | 'write'>, key: string, ask: () => Promise<T>, keep = true) =>
  async (): Promise<Saved<T>> => {
    try {
      const answer = await ask()
      if (keep) void storage.write(`saved:${key}`, { ...answer, asOf: new Date().toISOString() })
      return answer
    } catch (error) {
      const saved = isAway(error) ? await storage.read<Saved<T>>(`saved:${key}`) : null
      if (saved === null) throw error
      return saved
    }
  }

const isAway = (error: unknown): boolean => codeOf(error) === 'unreachable' || codeOf(error) === 'unavailable'
