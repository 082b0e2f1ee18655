import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { Me } from '../../../contract/api/api.ts'
import { useClient, useMe } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { Field } from '../design/controls/field.tsx'
import { messageOf } from '../design/feedback/states.tsx'
import { Section } from '../design/screen/section.tsx'
import { readBudget } from '../new-task/check-task.ts'
import { dollars } from '../text/show.ts'
import { words } from '../text/words.ts'

/** The budget of new tasks that name none. */
export function Budget() {
  const { api, queries } = useClient()
  const { data: me } = useMe()
  const save = useMutation({
    mutationFn: (ownBudgetUsd: number | null) => api.changeMe({ ownBudgetUsd }),
    onSuccess: (changed) => queries.setQueryData(['me'], changed),
  })
  return (
    <Section id="budget" title={words.settings.budget} text={words.settings.budgetText}>
      {me?.demo && <p>{words.settings.demoIsFree}</p>}
      <div>
        {me && <OwnBudget key={me.ownBudgetUsd} me={me} save={save} />}
        <p role="status" className="small">
          {save.data && words.settings.budgetSaved(dollars(save.data.defaultBudgetUsd))}
        </p>
      </div>
    </Section>
  )
}

type Save = { mutate: (usd: number | null) => void; isPending: boolean; error: unknown }

function OwnBudget({ me, save }: { me: Me; save: Save }) {
  const saved = String(me.ownBudgetUsd ?? '')
  const [text, setText] = useState(saved)
  const usd = readBudget(text)
  const isWrong = text.trim() !== '' && usd === null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isWrong) save.mutate(usd)
  }
  const error = isWrong ? words.create.budgetWrong : save.error ? messageOf(save.error) : null
  return (
    <form className="stack" noValidate onSubmit={submit}>
      <Field label={words.settings.budgetUsd} hint={words.settings.budgetHint} error={error}>
        {(given) => (
          <input
            {...given}
            inputMode="decimal"
            autoComplete="off"
            placeholder={dollars(me.defaultBudgetUsd)}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      {text.trim() !== saved && (
        <p>
          <Button type="submit" busy={save.isPending} disabled={isWrong}>
            {words.common.save}
          </Button>
        </p>
      )}
    </form>
  )
}
