import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { ChangeTask, Task } from '../../../../contract/api/api.ts'
import { useClient } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { Field } from '../../design/controls/field.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { Fault } from '../../design/feedback/states.tsx'
import { money } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'

const WORDS = TASK_WORDS.budget

/** The attributes of a field for an amount of money. */
export const DOLLARS = { type: 'number', inputMode: 'decimal', min: '0.01', max: '1000', step: '0.01' } as const

/** Changes how much the task may cost, also while it runs. */
export function BudgetSheet({ task, onClose }: { task: Task; onClose: () => void }) {
  const change = useChangeTask(task.id)
  const [budget, setBudget] = useState(String(task.budgetUsd))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate({ budgetUsd: Number(budget) }, { onSuccess: onClose })
  }
  return (
    <Sheet title={WORDS.title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p className="soft">{WORDS.spent(money(task.usage.costUsd), money(task.budgetUsd))}</p>
        <Field label={WORDS.limit} hint={WORDS.hint}>
          {(given) => (
            <input {...given} {...DOLLARS} required value={budget} onChange={(event) => setBudget(event.target.value)} />
          )}
        </Field>
        {change.isError && <Fault error={change.error} />}
        <Button type="submit" look="main" busy={change.isPending}>
          {WORDS.go}
        </Button>
      </form>
    </Sheet>
  )
}

function useChangeTask(taskId: string) {
  const { api, queries } = useClient()
  return useMutation({
    mutationFn: (change: ChangeTask) => api.changeTask(taskId, change),
    onSuccess: (task) => queries.setQueryData(['task', taskId], task),
  })
}
