import { memo, useState } from 'react'
import { Icon } from '../../design/icon.tsx'
import { type Call, hasFailed, type ItemOf } from '../feed-items.ts'
import { visibleMarks } from '../visible-marks.ts'
import { TASK_WORDS } from '../words.ts'
import { countWork } from '../work-summary.ts'
import { CallView } from './call-view.tsx'
import { useChoiceOfGroup } from './choices.tsx'
import './work.css'

const WORDS = TASK_WORDS.work
/** Calls of one group that are on the page at once, from the end. */
const WINDOW = 60

/** Work between two texts as one line. It opens to its calls, by itself when one of them failed. */
export const WorkGroup = memo(({ taskId, item }: { taskId: string; item: ItemOf<'work'> }) => {
  const counts = countWork(item.calls)
  const [open, toggle] = useChoiceOfGroup(item.calls.map(keyOf), counts.failed > 0)
  const current = item.calls.at(-1)
  return (
    <section className="work">
      <button type="button" className="work-line" aria-expanded={open} onClick={toggle}>
        <Icon name={open ? 'down' : 'right'} size={16} />
        <span>
          {WORDS.summary(counts)}
          {counts.failed > 0 && <span className="bad"> · {WORDS.failed(counts.failed)}</span>}
        </span>
        {counts.running && <span className="dot-alive" />}
      </button>
      {open && <Calls taskId={taskId} calls={item.calls} />}
      {!open && counts.running && current && <p className="work-now soft small">{visibleMarks(current.title)}</p>}
    </section>
  )
})

const keyOf = ({ attempt, callId }: Call): string => `work-${attempt}-${callId}`

const Calls = ({ taskId, calls }: { taskId: string; calls: readonly Call[] }) => {
  const [shown, setShown] = useState(WINDOW)
  const left = calls.length - shown
  return (
    <>
      {left > 0 && (
        <button type="button" className="button quiet" onClick={() => setShown(shown + WINDOW)}>
          {WORDS.moreCalls(Math.min(left, WINDOW))}
        </button>
      )}
      <ul className="calls">
        {calls.slice(Math.max(0, left)).map((call) => (
          <CallView
            key={`${call.attempt}-${call.callId}`}
            taskId={taskId}
            call={call}
            alone={calls.length === 1 && !hasFailed(call)}
          />
        ))}
      </ul>
    </>
  )
}
