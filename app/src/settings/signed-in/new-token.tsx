import { useState } from 'react'
import { useClient } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { useCopy } from '../../design/controls/copy.tsx'
import { Field } from '../../design/controls/field.tsx'
import { FormSheet } from '../../design/dialogs/form-sheet.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { words } from '../../text/words.ts'
import { reloadDevices } from './signed-in-line.tsx'

/** Creates a token and shows it once. */
export function NewToken({ onClose }: { onClose: () => void }) {
  const { api, queries } = useClient()
  const [name, setName] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const make = async () => {
    const { token } = await api.createToken({ name: name.trim() })
    setMade(token)
    await reloadDevices(queries)
  }
  if (made !== null)
    return (
      <Sheet title={words.settings.newToken} onClose={onClose} closesBeside={false}>
        <p className="soft">{words.settings.tokenMade}</p>
        <Secret text={made} />
      </Sheet>
    )
  return (
    <FormSheet title={words.settings.newToken} isReady={name.trim() !== ''} save={make} onClose={onClose}>
      <Field label={words.settings.tokenName}>
        {(given) => (
          <input {...given} dir="auto" maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
    </FormSheet>
  )
}

/** A secret to read and copy. */
export function Secret({ text }: { text: string }) {
  const { copied, copy } = useCopy(text)
  return (
    <>
      <p className="secret mono">{text}</p>
      <p>
        <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
          {copied ? words.common.copied : words.common.copy}
        </Button>
      </p>
    </>
  )
}
