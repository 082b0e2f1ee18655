import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import type { CreateTask } from '../../../contract/api/api.ts'
import { useClient, useStateOf, useUnsent } from '../client/hooks.ts'
import { emptyDraft, putBack } from './new-draft.ts'

/** After this long without an answer, the screen says where the task is. */
const SLOW_MS = 2_500

/**
 * Sends through the outbox and opens the task once the server has it. After a refusal the text is back on the form. Without an answer the
 * server may have the task already: it stays in the outbox, which retries without creating a second task, and the list shows it.
 */
export function useSendTask() {
  const { outbox, drafts, lastSent } = useClient()
  const [, navigate] = useLocation()
  const [sentId, setSentId] = useState<string | null>(null)
  const [isSlow, setIsSlow] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const arrived = useStateOf(lastSent)
  const item = useUnsent(null).find(({ clientId }) => clientId === sentId)

  useEffect(() => {
    if (sentId !== null && arrived?.clientId === sentId) navigate(`/task/${arrived.taskId}`, { replace: true })
  }, [arrived, sentId, navigate])

  useEffect(() => {
    if (item?.state !== 'failed' || item.kind !== 'task') return
    setError(item.error)
    setSentId(null)
    putBack(drafts, item.body)
    outbox.forget(item.clientId)
  }, [item, outbox, drafts])

  useEffect(() => {
    setIsSlow(false)
    if (sentId === null) return
    const timer = setTimeout(() => setIsSlow(true), SLOW_MS)
    return () => clearTimeout(timer)
  }, [sentId])

  const send = (task: Omit<CreateTask, 'clientId'>) => {
    setError(null)
    setSentId(outbox.sendTask(task))
    // From here on the outbox stores the task.
    emptyDraft(drafts)
  }
  return { send, isSending: sentId !== null, isSlow, error }
}
