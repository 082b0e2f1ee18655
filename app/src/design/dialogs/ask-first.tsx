import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { words } from '../../text/words.ts'
import { Button } from '../controls/button.tsx'
import { Fault } from '../feedback/states.tsx'
import { Sheet } from './sheet.tsx'

type Props = {
  title: string
  text: string
  action: string
  /** Runs once the user confirms. If it fails, the dialog shows the error and they may try again. */
  act: () => Promise<unknown>
  /** Renders the button that opens the question. */
  children: (ask: () => void) => ReactNode
}

/** Asks for confirmation before something is lost. */
export function AskFirst({ title, text, action, act, children }: Props) {
  const [asking, setAsking] = useState(false)
  const done = useMutation({ mutationFn: act, onSuccess: () => setAsking(false) })
  const close = () => {
    setAsking(false)
    done.reset()
  }
  return (
    <>
      {children(() => setAsking(true))}
      {asking && (
        <Sheet title={title} onClose={close}>
          <p className="soft">{text}</p>
          {done.isError && <Fault error={done.error} />}
          <div className="row">
            <Button look="danger" busy={done.isPending} onClick={() => done.mutate()}>
              {action}
            </Button>
            <Button onClick={close}>{words.common.cancel}</Button>
          </div>
        </Sheet>
      )}
    </>
  )
}
