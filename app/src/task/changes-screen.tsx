import { useState } from 'react'
import { useAsOf, useTask } from '../client/hooks.ts'
import { AsOf } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { ChangeNotes } from './changes/change-notes.tsx'
import { ChangesContent } from './changes/changes-content.tsx'
import { TurnChoice } from './changes/turn-choice.tsx'
import { useChanges } from './changes/use-changes.ts'
import { useWrap } from './changes/use-wrap.ts'
import { TASK_WORDS } from './words.ts'
import '../design/controls/field.css'
import './bar.css'
import './changes/changes.css'

const WORDS = TASK_WORDS.changes

/** What a task changed, a file at a time: of the whole branch or of one turn. */
export function ChangesScreen({ taskId }: { taskId: string }) {
  const { data: task } = useTask(taskId)
  const [turn, setTurn] = useState<number | undefined>(undefined)
  const [wrap, setWrap] = useWrap()
  const changes = useChanges(task, taskId, turn)
  const asOf = useAsOf(changes.data && {})
  return (
    <Screen title={WORDS.title} back={`/task/${taskId}`} actions={<WrapChoice wrap={wrap} onChange={setWrap} />} wide>
      <div className="changes">
        <AsOf time={asOf} />
        {task && task.turn > 1 && <TurnChoice turns={task.turn} turn={turn} onChange={setTurn} />}
        {task && <ChangeNotes task={task} changes={changes} />}
        <ChangesContent taskId={taskId} task={task} turn={turn} changes={changes} wrap={wrap} />
      </div>
    </Screen>
  )
}

function WrapChoice({ wrap, onChange }: { wrap: boolean; onChange: (wrap: boolean) => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={wrap} onChange={(event) => onChange(event.target.checked)} />
      {WORDS.wrap}
    </label>
  )
}
