import { useState } from 'react'
import { useClient, useSaved } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { AskFirst } from '../../design/dialogs/ask-first.tsx'
import { Loaded, Section } from '../../design/screen/section.tsx'
import { words } from '../../text/words.ts'
import { NewToken } from './new-token.tsx'
import { SignInLinkButton } from './sign-in-link.tsx'
import { clearDevice } from './sign-out.ts'
import { SignedInLine } from './signed-in-line.tsx'

/** Every browser session and API token of the user, and how to revoke or add one. */
export function Devices() {
  const client = useClient()
  const { api } = client
  const [making, setMaking] = useState(false)
  const list = useSaved('devices', () => api.listDevices())
  const hasOwn = list.data?.items.some(({ serverOwn }) => serverOwn)
  return (
    <Section id="devices" title={words.settings.devices} text={words.settings.devicesText}>
      <Loaded asked={list}>
        {({ items }) => (
          <ul className="card-lines">
            {items.map((device) => (
              <SignedInLine key={device.id} device={device} />
            ))}
          </ul>
        )}
      </Loaded>
      <div className="row">
        <SignInLinkButton />
        <Button icon="plus" onClick={() => setMaking(true)}>
          {words.settings.newToken}
        </Button>
        <AskFirst
          title={`${words.settings.signOutAll}?`}
          text={hasOwn ? `${words.settings.signOutAllText} ${words.settings.signOutAllButOwn}` : words.settings.signOutAllText}
          action={words.settings.signOutAll}
          act={() => api.revokeAllDevices().then(() => clearDevice(client))}
        >
          {(ask) => (
            <Button look="danger" onClick={ask}>
              {words.settings.signOutAll}
            </Button>
          )}
        </AskFirst>
      </div>
      {making && <NewToken onClose={() => setMaking(false)} />}
    </Section>
  )
}
