import { useState } from 'react'
import type { Me } from '../../../contract/api/api.ts'
import { EffortField } from '../design/controls/effort-field.tsx'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { dollars } from '../text/show.ts'
import { words } from '../text/words.ts'

export type Options = { branch: string; model: string; effort: string; budget: string }

/** Options that most tasks leave alone: folded, unless the draft already sets one. */
export function TaskOptions({
  me,
  options,
  onChange,
  budgetError,
}: {
  me: Me | undefined
  options: Options
  onChange: (options: Options) => void
  budgetError: string | null
}) {
  const [wereGiven] = useState(() => Object.values(options).some((given) => given !== ''))
  return (
    <details className="options" open={wereGiven}>
      <summary>{words.create.options}</summary>
      <div className="stack options-body">
        <Field label={words.create.branch} hint={words.create.branchHint}>
          {(given) => (
            <input
              {...given}
              {...AS_TYPED}
              value={options.branch}
              onChange={(event) => onChange({ ...options, branch: event.target.value })}
            />
          )}
        </Field>
        <Field label={words.create.model}>
          {(given) => (
            <select
              {...given}
              value={options.model || (me?.defaultModel ?? '')}
              onChange={(event) => onChange({ ...options, model: event.target.value })}
            >
              {(me?.models ?? []).map((model) => (
                <option key={model}>{model}</option>
              ))}
            </select>
          )}
        </Field>
        <EffortField value={options.effort} onChange={(effort) => onChange({ ...options, effort })} />
        <Field label={words.create.budget} hint={words.create.budgetHint} error={budgetError}>
          {(given) => (
            <input
              {...given}
              inputMode="decimal"
              placeholder={me ? dollars(me.defaultBudgetUsd) : ''}
              value={options.budget}
              onChange={(event) => onChange({ ...options, budget: event.target.value })}
            />
          )}
        </Field>
      </div>
    </details>
  )
}
