import type { Effort } from '../../../../contract/shared/models.ts'
import { words } from '../../text/words.ts'
import { Field } from './field.tsx'

const { effort, effortHint, effortOwn, efforts } = words.create

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
    <Field label={effort} hint={effortHint}>
      {(given) => (
        <select {...given} value={value} onChange={(event) => onChange(event.target.value as Effort | '')}>
          {mayBeOwn && <option value="">{effortOwn}</option>}
          {Object.entries(efforts).map(([level, name]) => (
            <option key={level} value={level}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
