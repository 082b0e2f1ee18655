import { useEffect, useState } from 'react'
import type { ConnectionStatus } from '../../../client/connection.ts'
import { useClient, useConnectionState, useMe, useStateOf } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { reloadToNewest, useNewVersion } from '../device/new-version.ts'
import { words } from '../text/words.ts'

/** How long each state lasts before it is shown: a short break is not worth a word. */
const PATIENCE_MS: Readonly<Record<ConnectionStatus, number>> = {
  connecting: 2_000,
  offline: 2_000,
  'catching-up': 500,
  live: 0,
  unauthorized: 0,
}

/** What every screen shows: the state of the connection, the demo, a new version. Each is one line that disappears by itself. */
export function StatusLines() {
  const { connection, drafts, storage } = useClient()
  const { data: me } = useMe()
  const line = useLine()
  const isStorageFull = useStateOf(storage.full)
  const areDraftsFull = useStateOf(drafts.full)
  const tooOld = useStateOf(connection.tooOld)
  const isDown = useStateOf(connection.downSince) !== null
  // A pulse means that work is going on, which nobody knows while the connection is down.
  useEffect(() => void document.documentElement.toggleAttribute('data-still', isDown), [isDown])
  const newVersion = useNewVersion()
  return (
    <aside aria-label={words.line.label}>
      <p className="hidden-for-eyes" role="status">
        {line}
      </p>
      {line && (
        <p className="line wait" aria-hidden="true">
          {line}
        </p>
      )}
      {(newVersion || tooOld) && (
        <div className="line accent">
          {tooOld && !newVersion ? words.line.tooOld : words.line.newVersion}
          <Button look="quiet" onClick={newVersion ?? (() => void reloadToNewest())}>
            {words.line.reload}
          </Button>
        </div>
      )}
      {(isStorageFull || areDraftsFull) && <p className="line wait">{words.line.storageFull}</p>}
      {me?.demo && <p className="line">{words.line.demo}</p>}
    </aside>
  )
}

function useLine(): string {
  const state = useConnectionState()
  const [shown, setShown] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setShown(sentenceOf(state)), PATIENCE_MS[state])
    return () => clearTimeout(timer)
  }, [state])
  return shown
}

function sentenceOf(state: ConnectionStatus): string {
  if (state === 'catching-up') return words.line.catchingUp
  if (state === 'connecting') return words.line.connecting
  if (state === 'offline') return navigator.onLine ? words.line.offline : words.line.noNetwork
  return ''
}
