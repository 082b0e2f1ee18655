import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Changes, Task } from '../../../contract/api.ts'
import { codeOf } from '../client/api-error.ts'
import { useClient, useTask } from '../client/hooks.ts'
import { Screen } from '../design/screen.tsx'
import { EmptyState, ErrorState, Note, Skeleton } from '../design/states.tsx'
import { FileList } from './changes/file-list.tsx'
import { useWrap } from './changes/use-wrap.ts'
import { isUnderWay } from './status/under-way.ts'
import { TASK_WORDS } from './words.ts'
import '../design/field.css'
import './bar.css'
import './changes/changes.css'

const WORDS = TASK_WORDS.changes

/** What a task changed, a file at a time: of the whole branch or of one turn. */
export const ChangesScreen = ({ taskId }: { taskId: string }) => {
  const { api } = useClient()
  const { data: task } = useTask(taskId)
  const [turn, setTurn] = useState<number | undefined>(undefined)
  const [wrap, setWrap] = useWrap()
  const changes = useQuery({ queryKey: ['changes', taskId, turn ?? 'all'], queryFn: () => api.changes(taskId, turn) })
  const { refetch } = changes
  // A turn's end brings another state of the branch.
  const state = task ? `${task.turn} ${task.status}` : ''
  useEffect(() => {
    if (state !== '') void refetch()
  }, [state, refetch])
  return (
    <Screen title={WORDS.title} back={`/task/${taskId}`} wide>
      <div className="changes">
        <div className="task-bar">
          {task && task.turn > 1 ? <TurnChoice turns={task.turn} turn={turn} onChange={setTurn} /> : <span />}
          <label className="check">
            <input type="checkbox" checked={wrap} onChange={(event) => setWrap(event.target.checked)} />
            {WORDS.wrap}
          </label>
        </div>
        {task && isUnderWay(task.status) && <Note>{WORDS.updating}</Note>}
        <Content taskId={taskId} task={task} turn={turn} changes={changes} wrap={wrap} onRetry={() => void refetch()} />
      </div>
    </Screen>
  )
}

const TurnChoice = ({
  turns,
  turn,
  onChange,
}: {
  turns: number
  turn: number | undefined
  onChange: (turn: number | undefined) => void
}) => (
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

type ContentProps = {
  taskId: string
  task: Task | undefined
  turn: number | undefined
  changes: { data: Changes | undefined; error: unknown }
  wrap: boolean
  onRetry: () => void
}

const Content = ({ taskId, task, turn, changes: { data, error }, wrap, onRetry }: ContentProps) => {
  const { api } = useClient()
  const missing = codeOf(error) === 'not_found'
  if (error && !missing && !data) return <ErrorState title={WORDS.failed} error={error} onRetry={onRetry} />
  if (!data && !missing) return <Skeleton lines={[60, 40]} rows={3} />
  if (!data || data.files.length === 0)
    return turn === undefined ? (
      <EmptyState title={WORDS.none} text={task && isUnderWay(task.status) ? WORDS.noneHint : undefined} />
    ) : (
      <EmptyState title={WORDS.noneInTurn} />
    )
  return (
    <>
      <FileList key={turn ?? 0} files={data.files} wrap={wrap} />
      <p className="row">
        {data.truncated && <span className="soft">{WORDS.truncated}</span>}
        <a className="button quiet" href={api.diffUrl(taskId)} download={`${taskId}.diff`}>
          {WORDS.download}
        </a>
      </p>
    </>
  )
}
