import { useState } from 'react'
import { useClient } from '../../client/hooks.ts'
import { TASK_WORDS } from '../text/words.ts'

const PLACE = 'wrap-lines'

/** Whether long lines wrap; stored on this device. On a phone they wrap by default. */
export function useWrap(): [boolean, (wrap: boolean) => void] {
  const { drafts } = useClient()
  const [wrap, setWrap] = useState(() => {
    const stored = drafts.read(PLACE)
    return stored === '' ? !matchMedia('(min-width: 56rem)').matches : stored === 'yes'
  })
  const choose = (next: boolean) => {
    drafts.write(PLACE, next ? 'yes' : 'no')
    setWrap(next)
  }
  return [wrap, choose]
}

export function WrapChoice({ wrap, onChange }: { wrap: boolean; onChange: (wrap: boolean) => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={wrap} onChange={(event) => onChange(event.target.checked)} />
      {TASK_WORDS.wrap}
    </label>
  )
}
