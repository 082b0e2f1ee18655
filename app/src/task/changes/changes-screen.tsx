import { useState } from 'react'
import { useAsOf, useTask } from '../../client/hooks.ts'
import { AsOf } from '../../design/feedback/states.tsx'
import { Screen } from '../../design/screen/screen.tsx'
import { useWrap, WrapChoice } from '../code/wrap-choice.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { ChangeNotes } from './change-notes.tsx'
import { ChangesContent } from './changes-content.tsx'
import { useChanges } from './use-changes.ts'
import './changes.css'

const WORDS = TASK_WORDS.changes

/** The changes of a task, one file at a time: of the whole branch or of one turn. */
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

type TurnChoiceProps = { turns: number; turn: number | undefined; onChange: (turn: number | undefined) => void }

/** Chooses between the whole branch and one turn. */
function TurnChoice({ turns, turn, onChange }: TurnChoiceProps) {
  return (
    <select
      aria-label={WORDS.which}
      value={turn ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : Number(event.target.value))}
    >
      <option value="">{WORDS.whole}</option>
      {Array.from({ length: turns }, (_, index) => turns - index).map((one) => (
        <option key={one} value={one}>
          {WORDS.turn(one)}
        </option>
      ))}
    </select>
  )
}
