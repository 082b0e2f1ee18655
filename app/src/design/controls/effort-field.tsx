import type { Effort } from '../../../../contract/shared/models.ts'
import { Field } from './field.tsx'

/** Beside the field and not with the other words: no screen needs them before it. */
export const EFFORT_WORDS = {
  effort: 'Effort',
  hint: 'More effort takes longer and costs more',
  own: "The model's default",
  levels: { low: 'Low', medium: 'Medium', high: 'High' } satisfies Record<Effort, string>,
}

/** How much the model is to think; `value` is empty for the model's own default. */
export function EffortField({
  value,
  onChange,
  mayBeOwn = true,
}: {
  value: string
  onChange: (value: Effort | '') => void
  /** Whether the default can be chosen. */
  mayBeOwn?: boolean
}) {
  return (
    <Field label={EFFORT_WORDS.effort} hint={EFFORT_WORDS.hint}>
      {(given) => (
        <select {...given} value={value} onChange={(event) => onChange(event.target.value as Effort | '')}>
          {mayBeOwn && <option value="">{EFFORT_WORDS.own}</option>}
          {Object.entries(EFFORT_WORDS.levels).map(([level, name]) => (
            <option key={level} value={level}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
