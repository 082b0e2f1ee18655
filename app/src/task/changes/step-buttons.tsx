import { IconButton } from '../../design/controls/button.tsx'
import { TASK_WORDS } from '../words.ts'
import type { useStops } from './use-stops.ts'

const WORDS = TASK_WORDS.changes

/** Goes from change to change, over the borders of files; within reach of a thumb. */
export function StepButtons({ at, number, count, step }: Pick<ReturnType<typeof useStops>, 'at' | 'number' | 'count' | 'step'>) {
  return (
    <div className="steps">
      <IconButton icon="up" label={WORDS.previous} onClick={() => step(-1)} />
      <span className="numbers small" aria-hidden="true">
        {WORDS.at(number, count)}
      </span>
      <IconButton icon="down" label={WORDS.next} onClick={() => step(1)} />
      <span className="hidden-for-eyes" role="status">
        {at && WORDS.change(number, count, at.path)}
      </span>
    </div>
  )
}
