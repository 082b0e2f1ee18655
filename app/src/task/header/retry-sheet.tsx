import { type FormEvent, useState } from 'react'
import { newId } from '../../../../client/new-id.ts'
import type { RetryTask, Task } from '../../../../contract/api/api.ts'
import type { Effort } from '../../../../contract/shared/models.ts'
import { useMe } from '../../client/hooks.ts'
import { useRetryTask } from '../../client/task-calls.ts'
import { Button } from '../../design/controls/button.tsx'
import { EffortField } from '../../design/controls/effort-field.tsx'
import { Field } from '../../design/controls/field.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { Fault } from '../../design/feedback/states.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { DOLLARS } from './budget-sheet.tsx'

const WORDS = TASK_WORDS.retry

/** Retries the last turn, perhaps with another model or more budget. */
export function RetrySheet({ task, onClose }: { task: Task; onClose: () => void }) {
  const { data: me } = useMe()
  const retry = useRetryTask(task.id)
  const [model, setModel] = useState(task.model)
  const [effort, setEffort] = useState<Effort | ''>(task.effort ?? '')
  const [budget, setBudget] = useState('')
  // One id for every press of the button, so that a second press starts no second turn.
  const [clientId] = useState(newId)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const wish: RetryTask = {
      clientId,
      ...(model !== task.model && { model }),
      ...(effort !== '' && effort !== task.effort && { effort }),
      ...(Number(budget) > 0 && { budgetUsd: Number(budget) }),
    }
    retry.mutate(wish, { onSuccess: onClose })
  }
  return (
    <Sheet title={WORDS.title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p className="soft">{WORDS.body}</p>
        <Field label={WORDS.model}>
          {(given) => (
            <select {...given} value={model} onChange={(event) => setModel(event.target.value)}>
              {[...new Set([task.model, ...(me?.models ?? [])])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <EffortField value={effort} onChange={setEffort} mayBeOwn={task.effort === null} />
        <Field label={WORDS.budget} hint={WORDS.budgetHint}>
          {(given) => <input {...given} {...DOLLARS} value={budget} onChange={(event) => setBudget(event.target.value)} />}
        </Field>
        {retry.isError && <Fault error={retry.error} />}
        <Button type="submit" look="main" icon="retry" busy={retry.isPending}>
          {WORDS.go}
        </Button>
      </form>
    </Sheet>
  )
}
