import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { words } from '../../text/words.ts'
import { Button } from '../controls/button.tsx'
import { Fault } from '../feedback/states.tsx'
import { Sheet } from './sheet.tsx'

type Props = {
  title: string
  /** Whether the form is complete enough to save. */
  isReady: boolean
  save: () => Promise<unknown>
  onClose: () => void
  children: ReactNode
}

/** A dialog with a form. If saving fails, it shows the error and keeps what was typed. */
export function FormSheet({ title, isReady, save, onClose, children }: Props) {
  const saving = useMutation({ mutationFn: save })
  return (
    <Sheet title={title} onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady) saving.mutate()
        }}
      >
        {children}
        {saving.isError && <Fault error={saving.error} />}
        <Button look="main" type="submit" busy={saving.isPending} disabled={!isReady}>
          {words.common.save}
        </Button>
      </form>
    </Sheet>
  )
}
