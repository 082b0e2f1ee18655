import { clear, del, delMany, entries, get, keys, set } from 'idb-keyval'
import { createState, type State } from './state.ts'

/** What outlives a closed app. Nothing of it ever fails: what the browser does not keep, this page does. */
export type Storage = {
  read: <T>(key: string) => Promise<T | null>
  /** Everything whose key begins so. */
  list: <T>(prefix: string) => Promise<T[]>
  write: (key: string, value: unknown) => Promise<void>
  remove: (key: string) => Promise<void>
  clear: () => Promise<void>
  /** True while something that cannot be had again lives in this page alone: the disk is full, or the browser keeps nothing. */
  full: State<boolean>
}

/** Some browsers leave a request unanswered for ever; nothing shall wait for that. */
const PATIENCE_MS = 2_000

/** IndexedDB; and this page's memory for what it does not take, so that nothing breaks on a full disk or in a private window. */
export const createStorage = (): Storage => {
  const memory = new Map<string, unknown>()
  const full = createState(false)
  const setMemory = (key: string, ...value: [] | [unknown]) => {
    if (value.length > 0) memory.set(key, value[0])
    else memory.delete(key)
    full.set(memory.size > 0)
  }
  const tryTo = async <T>(act: () => Promise<T>): Promise<{ value: T } | null> => {
    try {
      return { value: await inTime(act()) }
    } catch {
      return null
    }
  }
  const kept = async (key: string, value: unknown) => (await tryTo(() => set(key, value))) !== null
  return {
    read: async <T>(key: string) => {
      if (memory.has(key)) return memory.get(key) as T
      return ((await tryTo(() => get(key)))?.value ?? null) as T | null
    },
    list: async <T>(prefix: string) => {
      const found = new Map([...((await tryTo(() => entries<string, unknown>()))?.value ?? []), ...memory])
      return [...found].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value as T)
    },
    write: async (key, value) => {
      if (await kept(key, value)) return setMemory(key)
      if (canBeHadAgain(key)) return
      await tryTo(makeRoom)
      if (await kept(key, value)) setMemory(key)
      else setMemory(key, value)
    },
    remove: async (key) => {
      setMemory(key)
      await tryTo(() => del(key))
    },
    clear: async () => {
      memory.clear()
      full.set(false)
      await tryTo(clear)
    },
    full,
  }
}

/** What the server has too. */
const canBeHadAgain = (key: string): boolean => key.startsWith('feed:') || key.startsWith('saved:')

const makeRoom = async (): Promise<void> => delMany((await keys<string>()).filter(canBeHadAgain))

const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the browser’s storage does not answer')), PATIENCE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
