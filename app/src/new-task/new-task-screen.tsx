import { type FormEvent, type KeyboardEvent, useEffect, useState } from 'react'
import { flushSync } from 'react-dom'
import { Link, useLocation, useSearch } from 'wouter'
import { useClient, useMe } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { Field } from '../design/controls/field.tsx'
import { Note } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { words } from '../text/words.ts'
import { asTask, checkTask, MAX_PROMPT } from './check-task.ts'
import './new-task.css'
import { putExample, useNewDraft } from './new-draft.ts'
import { RepositoryField } from './repository-field.tsx'
import { TaskOptions } from './task-options.tsx'
import { useSendTask } from './use-send-task.ts'

/** What to do, and where. Every keystroke is stored until the task is sent. */
export function NewTaskScreen() {
  const { data: me } = useMe()
  const { prompt, setPrompt, repository, setRepository, options, setOptions } = useNewDraft()
  const [tried, setTried] = useState(false)
  const faults = checkTask({ prompt, repository, budget: options.budget })
  const { send, isSending, isSlow, error } = useSendTask()
  useExample()

  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    // Drawn at once, so that the faulty field can be found.
    flushSync(() => setTried(true))
    if (isSending) return
    if (Object.values(faults).some(Boolean)) return goToFault()
    send(asTask({ prompt, repository, options }))
  }
  const sendByKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit()
  }
  return (
    <Screen title={words.create.title} back="/">
      <form className="stack new-task" onSubmit={submit} onKeyDown={sendByKey} noValidate>
        <RepositoryField value={repository} onChange={setRepository} error={tried ? faults.repository : null} />
        <PromptField value={prompt} onChange={setPrompt} error={tried || prompt.length > MAX_PROMPT ? faults.prompt : null} />
        <TaskOptions me={me} options={options} onChange={setOptions} budgetError={faults.budget} />
        <SendNotes error={error} isSlow={isSlow} />
        <div className="send-line">
          <Button look="main" icon="send" type="submit" busy={isSending} disabled={prompt.trim() === ''}>
            {isSending ? words.tasks.sending : words.create.send}
          </Button>
        </div>
      </form>
    </Screen>
  )
}

type TextFieldProps = { value: string; onChange: (value: string) => void; error: string | null }

function PromptField({ value, onChange, error }: TextFieldProps) {
  return (
    <Field label={words.create.prompt} error={error}>
      {(given) => (
        <textarea
          {...given}
          className="prompt"
          rows={6}
          dir="auto"
          placeholder={words.create.promptPlaceholder}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

/** Why the task was not sent, or where it is while there is no answer. */
function SendNotes({ error, isSlow }: { error: string | null; isSlow: boolean }) {
  return (
    <>
      {error && (
        <Note mood="bad">
          <p className="send-note" role="alert" ref={scrollTo}>
            {error}
          </p>
        </Note>
      )}
      {isSlow && (
        <Note mood="wait">
          <p className="send-note" role="status" ref={scrollTo}>
            {words.create.sendingOffline} <Link href="/">{words.nav.tasks}</Link>
          </p>
        </Note>
      )}
    </>
  )
}

function scrollTo(note: HTMLElement | null) {
  note?.scrollIntoView({ block: 'nearest' })
}

function goToFault() {
  const field = document.querySelector<HTMLElement>('.new-task [aria-invalid]')
  field?.closest('details')?.setAttribute('open', '')
  field?.focus()
}

/** A picked example fills the form. The address then goes back to `/new`, so that a reload keeps later typing. */
function useExample() {
  const { drafts } = useClient()
  const search = useSearch()
  const [, navigate] = useLocation()
  useEffect(() => {
    const given = new URLSearchParams(search)
    const [prompt, repository] = [given.get('prompt'), given.get('repository')]
    putExample(drafts, prompt, repository)
    if (prompt !== null || repository !== null) navigate('/new', { replace: true })
  }, [search, navigate, drafts])
}
