import { clear, del, get, set } from 'idb-keyval'
import { createState, type State } from './state.ts'

/** What outlives a closed app. */
export type Storage = {
  read: <T>(key: string) => Promise<T | null>
  write: (key: string, value: unknown) => Promise<void>
  remove: (key: string) => Promise<void>
  clear: () => Promise<void>
  /** True once something could not be stored: the disk is full, or the browser keeps nothing. */
  full: State<boolean>
}

/** IndexedDB; and this page's memory for what it does not take, so that nothing breaks on a full disk or in a private window. */
export const createStorage = (): Storage => {
  const memory = new Map<string, unknown>()
  const full = createState(false)
  return {
    read: async <T>(key: string) => {
      if (memory.has(key)) return memory.get(key) as T
      return ((await get(key).catch(() => undefined)) ?? null) as T | null
    },
    write: async (key, value) => {
      try {
        await set(key, value)
        memory.delete(key)
      } catch {
        memory.set(key, value)
        full.set(true)
      }
    },
    remove: async (key) => {
      memory.delete(key)
      await del(key).catch(() => full.set(true))
    },
    clear: async () => {
      memory.clear()
      await clear().catch(() => full.set(true))
    },
    full,
  }
}
