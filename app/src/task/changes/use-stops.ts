import { type RefObject, useCallback, useEffect, useMemo, useState } from 'react'
import type { ChangedFile } from '../../../../contract/api/changes.ts'
import { isFreeKey } from '../../device/free-key.ts'
import { changeStops, stepFrom } from './patch-lines.ts'

/** The open file and the user's place among the changes, moved by the buttons, the keys `,` and `.`, or by opening a file by hand. */
export function useStops(files: readonly ChangedFile[], list: RefObject<HTMLElement | null>) {
  const stops = useMemo(() => changeStops(files), [files])
  const [open, setOpen] = useState<string | null>(files.length === 1 ? (files[0]?.path ?? null) : null)
  const [place, setPlace] = useState(-0.5)
  const at = stops[place] ?? null

  const step = useCallback(
    (by: 1 | -1) => {
      const next = stepFrom(place, by, stops.length)
      setPlace(next)
      setOpen(stops[next]?.path ?? null)
    },
    [place, stops],
  )
  const toggle = (path: string) => {
    setOpen(open === path ? null : path)
    setPlace(stops.findIndex((stop) => stop.path === path) - 0.5)
  }
  useEffect(() => {
    if (at) list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'start' })
  }, [at, list])
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const by = { '.': 1, ',': -1 }[event.key] as 1 | -1 | undefined
      if (by === undefined || !isFreeKey(event)) return
      event.preventDefault()
      step(by)
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [step])
  return { open, toggle, step, at, number: at ? place + 1 : 0, count: stops.length }
}
