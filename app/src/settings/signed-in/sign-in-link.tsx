import { useMutation } from '@tanstack/react-query'
import { type ComponentType, lazy, Suspense } from 'react'
import type { SignInLink } from '../../../../contract/api/api.ts'
import { onlyHereTexts } from '../../../../contract/api/phone-access.ts'
import { useClient } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { Sheet } from '../../design/dialogs/sheet.tsx'
import { messageOf } from '../../design/feedback/states.tsx'
import { words } from '../../text/words.ts'
import { Secret } from './new-token.tsx'

// If its code does not load, there is still the link itself, below it.
const QrCode = lazy<ComponentType<{ text: string }>>(() => import('./qr-code.tsx').catch(() => ({ default: () => null })))

/** A link that signs the user in on another device. */
export function SignInLinkButton() {
  const { api } = useClient()
  const make = useMutation({ mutationFn: () => api.createSignInLink() })
  return (
    <>
      <Button busy={make.isPending} onClick={() => make.mutate()}>
        {words.settings.linkDevice}
      </Button>
      {make.isError && <p role="alert">{messageOf(make.error)}</p>}
      {make.data && (
        <Sheet title={words.settings.linkDevice} onClose={make.reset} closesBeside={false}>
          <LinkToCarry {...make.data} />
        </Sheet>
      )}
    </>
  )
}

/** A code to scan if the other device can open the link; otherwise why it cannot, and what to set. */
function LinkToCarry({ url, onlyHere }: SignInLink) {
  const texts = onlyHere && onlyHereTexts(onlyHere)
  return (
    <>
      {texts ? (
        <>
          <p>
            {texts.why} {words.settings.linkOnlyHereText}
          </p>
          <p>{texts.what}</p>
          <pre className="secret mono">{onlyHere.settings.join('\n')}</pre>
          <p className="soft">{texts.after}</p>
        </>
      ) : (
        <>
          <p className="soft">{words.settings.linkText}</p>
          <Suspense fallback={<div className="qr-code" />}>
            <QrCode text={url} />
          </Suspense>
        </>
      )}
      <Secret text={url} />
    </>
  )
}
