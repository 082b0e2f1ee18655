import { type FormEvent, useState } from 'react'
import { Button } from '../design/controls/button.tsx'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { words } from '../text/words.ts'
import { linkPath } from './link-path.ts'

/** For an installed app: a tapped link does not open in it. */
export function PasteLink() {
  const [text, setText] = useState('')
  const [tried, setTried] = useState(false)
  const path = linkPath(text)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    // A full page load: the server asks for confirmation.
    if (path !== null) location.assign(path)
  }
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <Field
        label={words.signIn.paste}
        hint={words.signIn.pasteHint}
        error={tried && path === null ? words.signIn.pasteWrong : null}
      >
        {(given) => (
          <input
            {...given}
            {...AS_TYPED}
            type="url"
            inputMode="url"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit">{words.signIn.open}</Button>
    </form>
  )
}
