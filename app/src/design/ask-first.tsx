import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { Confirm } from './confirm.tsx'

type Props = {
  title: string
  text: string
  action: string
  /** What is done once the person says yes; a failure is told, and they may try again. */
  act: () => Promise<unknown>
  children: (ask: () => void) => ReactNode
}

/** A button that asks before it does something that loses something. The button is a function of what opens the question. */
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
        <Confirm
          title={title}
          text={text}
          action={action}
          busy={done.isPending}
          error={done.error}
          onConfirm={() => done.mutate()}
          onClose={close}
        />
      )}
    </>
  )
}
