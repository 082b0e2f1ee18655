import { useEffect, useRef, useState } from 'react'
import type { Task } from '../../../../contract/api.ts'
import { useCancelTask } from '../../client/hooks.ts'
import { isUnderWay } from '../status/under-way.ts'

/**
 * Stops the turn, and sends the text as the next one as soon as it has ended. Until then the text stays in the draft, so that closing the
 * app in between loses nothing.
 */
export const useStopAndSend = (task: Task, send: (text: string) => void) => {
  const cancel = useCancelTask(task.id)
  const [waiting, setWaiting] = useState<{ text: string; clear: () => void } | null>(null)
  const sendNow = useRef(send)
  sendNow.current = send
  const ended = !isUnderWay(task.status)
  useEffect(() => {
    if (!waiting || !ended) return
    setWaiting(null)
    waiting.clear()
    sendNow.current(waiting.text)
  }, [waiting, ended])
  return {
    waiting: waiting !== null,
    error: cancel.error,
    start: (text: string, clear: () => void) => {
      setWaiting({ text, clear })
      cancel.mutate(undefined, { onError: () => setWaiting(null) })
    },
  }
}
