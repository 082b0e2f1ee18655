import { createContext, useContext, useState } from 'react'

/** What a person opened or closed, by key. It outlives the row, so that nothing they closed opens by itself again. */
export type Choices = Map<string, boolean>

export const ChoicesContext = createContext<Choices>(new Map())

/** @returns whether it is open (`fallback` until the person chose) and the way to choose */
export const useChoice = (key: string, fallback: boolean): [boolean, () => void] => useChoiceOfGroup([key], fallback)

/** The same for what grows at both ends: its keys are those of its parts, and the newest choice for one of them counts. */
export const useChoiceOfGroup = (keys: readonly string[], fallback: boolean): [boolean, () => void] => {
  const choices = useContext(ChoicesContext)
  const [, changed] = useState(0)
  const chosen = keys.findLast((key) => choices.has(key)) ?? ''
  const open = choices.get(chosen) ?? fallback
  const toggle = () => {
    choices.set(keys.at(-1) ?? '', !open)
    changed((n) => n + 1)
  }
  return [open, toggle]
}
