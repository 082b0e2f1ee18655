import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Device } from '../../../contract/api.ts'
import { useClient, useSaved } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { age } from '../show.ts'
import { words } from '../words.ts'
import { Loaded, Section } from './section.tsx'
import { SignInLinkButton } from './sign-in-link.tsx'
import { leaveNothing } from './sign-out.ts'

/** Every browser and program that is signed in as the user, and how to end it. */
export const Devices = () => {
  const client = useClient()
  const [asking, setAsking] = useState(false)
  const list = useSaved('devices', client.api.devices)
  const everywhere = useMutation({ mutationFn: () => client.api.revokeAllDevices().then(() => leaveNothing(client)) })
  return (
    <Section id="devices" title={words.settings.devices}>
      <Loaded asked={list}>
        {({ items }) => (
          <ul className="card-lines">
            {items.map((device) => (
              <DeviceLine key={device.id} device={device} />
            ))}
          </ul>
        )}
      </Loaded>
      <div className="row">
        <SignInLinkButton />
        <Button look="danger" onClick={() => setAsking(true)}>
          {words.settings.signOutAll}
        </Button>
      </div>
      {asking && (
        <Confirm
          title={`${words.settings.signOutAll}?`}
          text={words.settings.signOutAllText}
          action={words.settings.signOutAll}
          busy={everywhere.isPending}
          error={everywhere.error}
          onConfirm={() => everywhere.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  )
}

const DeviceLine = ({ device }: { device: Device }) => {
  const { api, queries } = useClient()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.revokeDevice(device.id),
    onSuccess: () => Promise.all(['devices', 'tokens'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <li>
      <span>
        <span dir="auto">{device.name}</span>{' '}
        <span className="soft small block">
          {device.current
            ? words.settings.thisDevice
            : device.lastUsedAt
              ? words.settings.lastUsed(age(device.lastUsedAt))
              : words.common.never}
        </span>
      </span>
      {!device.current && (
        <Button look="danger" aria-label={`${words.settings.revoke}: ${device.name}`} onClick={() => setAsking(true)}>
          {words.settings.revoke}
        </Button>
      )}
      {asking && (
        <Confirm
          title={words.settings.revokeTitle(device.name)}
          text={words.settings.revokeText}
          action={words.settings.revoke}
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </li>
  )
}
