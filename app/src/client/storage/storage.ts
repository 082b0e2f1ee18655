import { clear, del, delMany, get, getMany, keys, set } from 'idb-keyval'
import { createState, type State } from '../state.ts'

/** Data that outlives a closed app. No call fails: this page keeps what the browser does not. */
export type Storage = {
  read: <T>(key: string) => Promise<T | null>
  /** Everything whose key has this prefix, and nothing else. The browser may take as long as it needs. */
  list: <T>(prefix: string) => Promise<T[]>
  /** Of the entries that the server has too, removes those with none of these endings. */
  keepOnly: (prefix: 'feed:' | 'saved:task:', endings: readonly string[]) => Promise<void>
  write: (key: string, value: unknown) => Promise<void>
  remove: (key: string) => Promise<void>
  clear: () => Promise<void>
  /** True while something that the server does not have lives in this page alone: the disk is full, or the browser stores nothing. */
  full: State<boolean>
}

/** Some browsers never answer a request; nothing may wait for that. */
export const STORAGE_PATIENCE_MS = 2_000

/** Uses IndexedDB, and this page's memory for what it does not take: nothing breaks on a full disk or in a private window. */
export function createStorage(): Storage {
  const memory = new Map<string, unknown>()
  const full = createState(false)
  const setMemory = (key: string, ...value: [] | [unknown]) => {
    if (value.length > 0) memory.set(key, value[0])
    else memory.delete(key)
    full.set(memory.size > 0)
  }
  const tryTo = async <T>(act: () => Promise<T>): Promise<{ value: T } | null> => {
    try {
      return { value: await inTime(act(), STORAGE_PATIENCE_MS, 'the browser’s storage does not answer') }
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
      const kept = await entriesOf(prefix).catch(() => [])
      const inMemory = [...memory].filter(([key]) => key.startsWith(prefix))
      return [...new Map([...kept, ...inMemory]).values()] as T[]
    },
    keepOnly: async (prefix, endings) => {
      const wanted = new Set(endings.map((ending) => prefix + ending))
      await tryTo(() => removeWhere((key) => key.startsWith(prefix) && !wanted.has(key)))
    },
    write: async (key, value) => {
      if (await kept(key, value)) return setMemory(key)
      if (canBeHadAgain(key)) return
      await tryTo(() => removeWhere(canBeHadAgain))
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

/** @returns whether the server has it too */
function canBeHadAgain(key: string): boolean {
  return key.startsWith('feed:') || key.startsWith('saved:')
}

async function removeWhere(fits: (key: string) => boolean): Promise<void> {
  return delMany((await keys<string>()).filter(fits))
}

async function entriesOf(prefix: string): Promise<[string, unknown][]> {
  const names = (await keys<string>()).filter((key) => key.startsWith(prefix))
  const values = await getMany<unknown>(names)
  return names.flatMap((name, at) => (values[at] === undefined ? [] : [[name, values[at]]]))
}

/** @throws Error with `complaint` if the work takes longer than `ms`; the work itself goes on */
export async function inTime<T>(work: Promise<T>, ms: number, complaint: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
