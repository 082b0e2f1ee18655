import { useMutation, useQuery } from '@tanstack/react-query'
import type { NotificationSettings, Notifications as Wishes } from '../../../contract/api/api.ts'
import { useClient, useSaved } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { Switch } from '../design/controls/field.tsx'
import { messageOf, Note } from '../design/feedback/states.tsx'
import { Loaded, Section } from '../design/screen/section.tsx'
import { type PushState, readPush, subscribe, unsubscribe } from '../device/push.ts'
import { words } from '../text/words.ts'
import { Webhook } from './webhook.tsx'

/** What the user is notified of, on this device and by webhook. */
export function Notifications() {
  const { api } = useClient()
  const settings = useSaved('notifications', () => api.findNotifications())
  return (
    <Section id="notifications" title={words.settings.notifications}>
      <Loaded asked={settings}>
        {(data) => (
          <>
            <ThisDevice settings={data} />
            <Wanted settings={data} />
          </>
        )}
      </Loaded>
    </Section>
  )
}

function ThisDevice({ settings }: { settings: NotificationSettings }) {
  const { api, queries } = useClient()
  const push = useQuery({ queryKey: ['push'], queryFn: readPush, staleTime: 0 })
  const turn = useMutation({
    mutationFn: (on: boolean) => (on ? subscribe(api, settings.vapidPublicKey) : unsubscribe(api)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['push'] }),
  })
  const test = useMutation({ mutationFn: () => api.testNotifications() })
  const state = push.data ?? 'off'
  return (
    <div className="stack">
      <div>
        <h3>{words.settings.push}</h3>
        <p className="small soft">{PUSH_WORDS[state]}</p>
      </div>
      <div className="row">
        {state === 'off' && (
          <Button look="main" busy={turn.isPending} onClick={() => turn.mutate(true)}>
            {words.settings.pushOn}
          </Button>
        )}
        {state === 'on' && (
          <Button busy={turn.isPending} onClick={() => turn.mutate(false)}>
            {words.settings.pushOff}
          </Button>
        )}
        {(state === 'on' || settings.subscriptions > 0 || settings.webhookUrl) && (
          <Button busy={test.isPending} onClick={() => test.mutate()}>
            {words.settings.pushTest}
          </Button>
        )}
      </div>
      {test.isSuccess && (
        <Note mood="good">
          <p role="status">{words.settings.pushSent}</p>
        </Note>
      )}
      {(turn.isError || test.isError) && (
        <Note mood="bad">
          <p role="alert">{messageOf(turn.error ?? test.error)}</p>
        </Note>
      )}
    </div>
  )
}

const PUSH_WORDS: Readonly<Record<PushState, string>> = {
  on: words.settings.pushIsOn,
  off: words.settings.pushIsOff,
  denied: words.settings.pushDenied,
  unsupported: words.settings.pushUnsupported,
}

function Wanted({ settings }: { settings: NotificationSettings }) {
  const { api, queries } = useClient()
  const { onDone, onFailed, onAttention, webhookUrl } = settings
  const put = useMutation({
    mutationFn: (wishes: Partial<Wishes>) => api.putNotifications({ onDone, onFailed, onAttention, webhookUrl, ...wishes }),
    // Shown at once; the server's answer replaces it.
    onMutate: (wishes) => queries.setQueryData(['notifications'], { ...settings, ...wishes }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['notifications'] }),
  })
  return (
    <div className="stack">
      <div>
        <Switch label={words.settings.onDone} checked={onDone} onChange={(on) => put.mutate({ onDone: on })} />
        <Switch label={words.settings.onFailed} checked={onFailed} onChange={(on) => put.mutate({ onFailed: on })} />
        <Switch label={words.settings.onAttention} checked={onAttention} onChange={(on) => put.mutate({ onAttention: on })} />
      </div>
      {put.isError && <p role="alert">{messageOf(put.error)}</p>}
      <Webhook key={webhookUrl} saved={webhookUrl} onSave={(url) => put.mutateAsync({ webhookUrl: url })} />
    </div>
  )
}
