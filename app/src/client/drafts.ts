/** Text that was typed and not sent, by the place where it was typed (`new`, `task:<id>`); kept with every keystroke. */
export type Drafts = {
  read: (place: string) => string
  write: (place: string, text: string) => void
  clear: () => void
}

const PREFIX = 'errand:draft:'

/** In localStorage, because that is written before the next keystroke, whatever happens to the page; else in memory. */
export const createDrafts = (store: () => globalThis.Storage): Drafts => {
  const memory = new Map<string, string>()
  return {
    read: (place) => {
      try {
        return memory.get(place) ?? store().getItem(PREFIX + place) ?? ''
      } catch {
        return memory.get(place) ?? ''
      }
    },
    write: (place, text) => {
      try {
        if (text === '') store().removeItem(PREFIX + place)
        else store().setItem(PREFIX + place, text)
        memory.delete(place)
      } catch {
        // Full, or forbidden by the browser's settings.
        memory.set(place, text)
      }
    },
    clear: () => {
      memory.clear()
      try {
        for (const key of Object.keys(store())) if (key.startsWith(PREFIX)) store().removeItem(key)
      } catch {
        // Without a store there is nothing to clear.
      }
    },
  }
}
