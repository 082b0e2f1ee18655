import { createContext, useContext, useState } from 'react'

/** What the user opened or closed, by key. It outlives the row, so that nothing they closed opens by itself again. */
export type Choices = Map<string, boolean>

export const ChoicesContext = createContext<Choices>(new Map())

type Choice = [open: boolean, toggle: () => void, keep: () => void]

/** @returns whether it is open (`fallback` until the user chooses), a function to toggle it, and one to keep it as it is */
export function useChoice(key: string, fallback: boolean): Choice {
  return useChoiceOfGroup([key], fallback)
}

/** The same for a group that grows at both ends: its keys are those of its parts, and the latest choice for one of them counts. */
export function useChoiceOfGroup(keys: readonly string[], fallback: boolean): Choice {
  const choices = useContext(ChoicesContext)
  const [, changed] = useState(0)
  const chosen = keys.findLast((key) => choices.has(key)) ?? ''
  const open = choices.get(chosen) ?? fallback
  const choose = (wanted: boolean) => {
    choices.set(keys.at(-1) ?? '', wanted)
    changed((n) => n + 1)
  }
  return [open, () => choose(!open), () => choose(open)]
}
