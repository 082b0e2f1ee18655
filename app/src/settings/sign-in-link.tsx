import { useMutation } from '@tanstack/react-query'
import { useClient } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Sheet } from '../design/sheet.tsx'
import { messageOf } from '../design/states.tsx'
import { words } from '../words.ts'
import { Secret } from './secret.tsx'

/** A link that signs the user in on another device. */
export const SignInLinkButton = () => {
  const { api } = useClient()
  const make = useMutation({ mutationFn: api.signInLink })
  return (
    <>
      <Button busy={make.isPending} onClick={() => make.mutate()}>
        {words.settings.linkDevice}
      </Button>
      {make.isError && <p role="alert">{messageOf(make.error)}</p>}
      {make.data && (
        <Sheet title={words.settings.linkDevice} onClose={make.reset} closesBeside={false}>
          <p className="soft">{words.settings.linkText}</p>
          <Secret text={make.data.url} />
        </Sheet>
      )}
    </>
  )
}
