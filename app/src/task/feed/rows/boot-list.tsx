import { memo } from 'react'
import { Icon } from '../../../design/icons/icon.tsx'
import type { ItemOf } from '../../model/feed-items.ts'
import { duration } from '../../text/format.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { useChoice } from './choices.tsx'
import './boot.css'

const WORDS = TASK_WORDS.boot

/** The steps to a working agent: a checklist while it starts, one line afterwards. */
export const BootList = memo(({ item, ahead }: { item: ItemOf<'boot'>; ahead: number | null }) => {
  const over = item.agentAt !== null || item.stopped
  const [open, toggle] = useChoice(item.key, !over)
  if (!over) return <Steps item={item} ahead={ahead} />
  return (
    <section className="work">
      <button type="button" className="work-line" aria-expanded={open} onClick={toggle}>
        <Icon name={open ? 'down' : 'right'} size={16} />
        <span>
          {item.nth !== 1 && `${WORDS.again(item.nth)} · `}
          {item.agentAt === null
            ? WORDS.ended
            : WORDS.done(duration(item.agentAt - (item.takenAt ?? item.queuedAt)), item.runner)}
        </span>
      </button>
      {open && <Steps item={item} ahead={ahead} />}
    </section>
  )
})

type Step = { word: string; doneWord: string; at: number | null; since: number | null }

function Steps({ item, ahead }: { item: ItemOf<'boot'>; ahead: number | null }) {
  const steps: Step[] = [
    { word: WORDS.queued(ahead), doneWord: WORDS.taken(item.runner), at: item.takenAt, since: item.queuedAt },
    { word: WORDS.sandbox, doneWord: WORDS.sandboxDone, at: item.sandboxAt, since: item.takenAt },
    {
      word: WORDS.clone,
      doneWord: item.resumed ? WORDS.resumed : WORDS.cloneDone(item.baseBranch),
      at: item.clonedAt,
      since: item.sandboxAt,
    },
    { word: WORDS.agent, doneWord: WORDS.agentDone, at: item.agentAt, since: item.clonedAt },
  ]
  const next = steps.findIndex(({ at }) => at === null)
  return (
    <ol className="boot">
      {steps.map((step, index) => (
        <StepRow
          key={step.word}
          step={step}
          state={step.at !== null ? 'done' : index === next ? (item.stopped ? 'ended' : 'now') : 'later'}
        />
      ))}
    </ol>
  )
}

/** `ended`: the turn ended during this step. */
type StepState = 'done' | 'now' | 'ended' | 'later'

function StepRow({ step: { word, doneWord, at, since }, state }: { step: Step; state: StepState }) {
  return (
    <li className={`boot-step ${state}`} {...(state === 'now' && { 'aria-current': 'step' })}>
      <span className="boot-mark">
        {state === 'done' && <Icon name="check" size={16} />}
        {state === 'ended' && <Icon name="cross" size={16} />}
        {(state === 'now' || state === 'later') && <span className={state === 'now' ? 'dot-alive' : 'dot'} />}
      </span>
      <span>{state === 'done' ? doneWord : word}</span>
      {at !== null && since !== null && <span className="soft numbers">{duration(at - since)}</span>}
    </li>
  )
}
