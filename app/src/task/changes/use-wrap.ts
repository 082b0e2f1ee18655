import { useState } from 'react'
import { useClient } from '../../client/hooks.ts'

const PLACE = 'wrap-lines'

/** Whether long lines are wrapped; remembered on this device. On a phone they are until somebody says otherwise. */
export function useWrap(): [boolean, (wrap: boolean) => void] {
  const { drafts } = useClient()
  const [wrap, setWrap] = useState(() => {
    const kept = drafts.read(PLACE)
    return kept === '' ? !matchMedia('(min-width: 56rem)').matches : kept === 'yes'
  })
  const choose = (next: boolean) => {
    drafts.write(PLACE, next ? 'yes' : 'no')
    setWrap(next)
  }
  return [wrap, choose]
}
