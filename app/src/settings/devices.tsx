import { useClient, useSaved } from '../client/hooks.ts'
import { AskFirst } from '../design/ask-first.tsx'
import { Button } from '../design/button.tsx'
import { words } from '../words.ts'
import { lastUsed } from './last-used.ts'
import { Loaded, Section } from './section.tsx'
import { SignInLinkButton } from './sign-in-link.tsx'
import { leaveNothing } from './sign-out.ts'
import { SignedInLine } from './signed-in-line.tsx'

/** Every browser and program that is signed in as the user, and how to end it. */
export const Devices = () => {
  const client = useClient()
  const { api } = client
  const list = useSaved('devices', api.devices)
  return (
    <Section id="devices" title={words.settings.devices}>
      <Loaded asked={list}>
        {({ items }) => (
          <ul className="card-lines">
            {items.map(({ id, name, current, lastUsedAt }) => (
              <SignedInLine
                key={id}
                name={name}
                note={current ? words.settings.thisDevice : lastUsed(lastUsedAt)}
                {...(!current && { revoke: () => api.revokeDevice(id) })}
              />
            ))}
          </ul>
        )}
      </Loaded>
      <div className="row">
        <SignInLinkButton />
        <AskFirst
          title={`${words.settings.signOutAll}?`}
          text={words.settings.signOutAllText}
          action={words.settings.signOutAll}
          act={() => api.revokeAllDevices().then(() => leaveNothing(client))}
        >
          {(ask) => (
            <Button look="danger" onClick={ask}>
              {words.settings.signOutAll}
            </Button>
          )}
        </AskFirst>
      </div>
    </Section>
  )
}
