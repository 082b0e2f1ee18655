import { type FormEvent, useState } from 'react'
import { Button } from '../design/controls/button.tsx'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { messageOf } from '../design/feedback/states.tsx'
import { words } from '../text/words.ts'

/** A URL that receives every notification too. */
export function Webhook({ saved, onSave }: { saved: string | null; onSave: (url: string | null) => Promise<unknown> }) {
  const [url, setUrl] = useState(saved ?? '')
  const [error, setError] = useState<string | null>(null)
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const next = url.trim()
    if (next !== '' && !isWeb(next)) return setError(words.settings.webhookWrong)
    setError(null)
    await onSave(next === '' ? null : next).catch((failure: unknown) => setError(messageOf(failure)))
  }
  return (
    <form className="stack" noValidate onSubmit={(event) => void save(event)}>
      <Field label={words.settings.webhook} hint={words.settings.webhookHint} error={error}>
        {(given) => <input {...given} type="url" {...AS_TYPED} value={url} onChange={(event) => setUrl(event.target.value)} />}
      </Field>
      {url.trim() !== (saved ?? '') && (
        <p>
          <Button type="submit">{words.common.save}</Button>
        </p>
      )}
    </form>
  )
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}
