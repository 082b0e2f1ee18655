import { useMutation } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { useDeleteTask } from '../../client/task-calls.ts'
import { Button } from '../../design/controls/button.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { Fault } from '../../design/feedback/states.tsx'
import { words } from '../../text/words.ts'
import { TASK_WORDS } from '../text/words.ts'

const WORDS = TASK_WORDS.remove

/** Asks before an ended task is deleted for good, and goes back to the list afterwards. */
export function DeleteSheet({ taskId, onClose }: { taskId: string; onClose: () => void }) {
  const [, navigate] = useLocation()
  const remove = useDeleteTask(taskId)
  const deletion = useMutation({
    mutationFn: async () => {
      await remove()
      navigate('/')
    },
  })
  return (
    <Sheet title={WORDS.title} onClose={onClose}>
      <p className="soft">{WORDS.text}</p>
      {deletion.isError && <Fault error={deletion.error} />}
      <div className="row">
        <Button look="danger" busy={deletion.isPending} onClick={() => deletion.mutate()}>
          {WORDS.go}
        </Button>
        <Button onClick={onClose}>{words.common.cancel}</Button>
      </div>
    </Sheet>
  )
}
