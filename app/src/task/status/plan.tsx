import { useState } from 'react'
import { Icon } from '../../design/icons/icon.tsx'
import type { PlanStep } from '../model/feed-facts.ts'
import { visibleMarks } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'

/** The agent's own list of steps: progress and the current step, and all of them when opened. */
export function Plan({ steps }: { steps: readonly PlanStep[] }) {
  const [open, setOpen] = useState(false)
  if (steps.length === 0) return null
  const done = steps.filter(({ status }) => status === 'done').length
  const current = steps.find(({ status }) => status === 'doing')
  return (
    <div className="plan">
      <button type="button" className="plan-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="plan-count numbers">{TASK_WORDS.work.plan(done, steps.length)}</span>
        <span className="plan-now">{current && visibleMarks(current.text)}</span>
        <Icon name={open ? 'down' : 'right'} size={16} />
      </button>
      {open && (
        <ol className="plan-steps">
          {steps.map(({ text, status }, index) => (
            <li key={index} className={`boot-step ${status === 'doing' ? 'now' : status === 'done' ? 'done' : 'later'}`}>
              <span className="boot-mark">
                {status === 'done' ? (
                  <Icon name="check" size={16} />
                ) : (
                  <span className={status === 'doing' ? 'dot-alive' : 'dot'} />
                )}
              </span>
              <span>
                <span className="hidden-for-eyes">{TASK_WORDS.work.planStep[status]}: </span>
                <bdi>{visibleMarks(text)}</bdi>
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}
