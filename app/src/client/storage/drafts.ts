import { createState, type State } from '../state.ts'

/** Text that was typed and not sent, by the place where it was typed (`new`, `task:<id>`); saved at every keystroke. */
export type Drafts = {
  read: (place: string) => string
  write: (place: string, text: string) => void
  /** Writes text that was typed elsewhere or earlier, and tells the screen that shows the place. */
  replace: (place: string, text: string) => void
  /** Does the same, below the text that is already there. */
  add: (place: string, text: string) => void
  /** The last place whose text was replaced. */
  replaced: State<{ place: string } | null>
  clear: () => void
  /** True while a draft lives in this page alone, because the browser stores nothing or is full. */
  full: State<boolean>
}

/** The part of `localStorage` that drafts need. */
export type LocalStore = {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
}

const PREFIX = 'errand:draft:'

/** Uses localStorage, which is written before the next keystroke whatever happens to the page; memory where there is none. */
export function createDrafts(store: () => LocalStore): Drafts {
  const memory = new Map<string, string>()
  const full = createState(false)
  const replaced = createState<{ place: string } | null>(null)
  const read = (place: string) => {
    try {
      return memory.get(place) ?? store().getItem(PREFIX + place) ?? ''
    } catch {
      return memory.get(place) ?? ''
    }
  }
  const write = (place: string, text: string) => {
    try {
      if (text === '') store().removeItem(PREFIX + place)
      else store().setItem(PREFIX + place, text)
      memory.delete(place)
    } catch {
      // The store is full, or the browser's settings forbid it.
      if (text === '') memory.delete(place)
      else memory.set(place, text)
    }
    full.set(memory.size > 0)
  }
  const replace = (place: string, text: string) => {
    write(place, text)
    replaced.set({ place })
  }
  return {
    read,
    write,
    replace,
    add: (place, text) => {
      const typed = read(place)
      const isThere = typed === text || typed.endsWith(`\n\n${text}`)
      if (!isThere) replace(place, typed === '' ? text : `${typed}\n\n${text}`)
    },
    replaced,
    clear: () => {
      memory.clear()
      full.set(false)
      try {
        for (const key of Object.keys(store())) if (key.startsWith(PREFIX)) store().removeItem(key)
      } catch {
        // Without a store there is nothing to clear.
      }
    },
    full,
  }
}
