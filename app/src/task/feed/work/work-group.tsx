import { memo, useState } from 'react'
import { Icon } from '../../../design/icons/icon.tsx'
import { type Call, hasFailed, type ItemOf } from '../../model/feed-items.ts'
import { callKey } from '../../model/feed-rows.ts'
import { visibleMarks } from '../../text/format.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { countWork } from '../../text/work-summary.ts'
import { useChoiceOfGroup } from '../rows/choices.tsx'
import { CallView } from './call-view.tsx'
import './work.css'

const WORDS = TASK_WORDS.work
/** How many calls of a group are on the page at once, counted from the end. */
const WINDOW = 60

type Props = {
  taskId: string
  item: ItemOf<'work'>
  /** The key of its failed call that opens by itself, or null. */
  shownFailure: string | null
}

/** The work between two texts as one line. It opens to its calls; by itself if the agent's last call failed. */
export const WorkGroup = memo(({ taskId, item, shownFailure }: Props) => {
  const counts = countWork(item.calls)
  const [open, toggle, keep] = useChoiceOfGroup(item.calls.map(keyOf), shownFailure !== null)
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
      {open && <Calls taskId={taskId} calls={item.calls} shownFailure={shownFailure} onToggle={keep} />}
      {!open && counts.running && current && <p className="work-now soft small">{visibleMarks(current.title)}</p>}
    </section>
  )
})

function keyOf(call: Call): string {
  return `work-${callKey(call)}`
}

type CallsProps = { taskId: string; calls: readonly Call[]; shownFailure: string | null; onToggle: () => void }

function Calls({ taskId, calls, shownFailure, onToggle }: CallsProps) {
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
            key={callKey(call)}
            taskId={taskId}
            call={call}
            startsOpen={calls.length === 1 || (shownFailure === null && hasFailed(call))}
            shown={callKey(call) === shownFailure}
            onToggle={onToggle}
          />
        ))}
      </ul>
    </>
  )
}
