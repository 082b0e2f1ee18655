import { createContext, useContext, useState } from 'react'

/** What a person opened or closed, by key. It outlives the row, so that nothing they closed opens by itself again. */
export type Choices = Map<string, boolean>

export const ChoicesContext = createContext<Choices>(new Map())

/** @returns whether it is open (`fallback` until the person chose) and the way to choose */
export const useChoice = (key: string, fallback: boolean): [boolean, () => void] => {
  const choices = useContext(ChoicesContext)
  const [, changed] = useState(0)
  const open = choices.get(key) ?? fallback
  const toggle = () => {
    choices.set(key, !open)
    changed((n) => n + 1)
  }
  return [open, toggle]
}
