import type { QueryClient } from '@tanstack/react-query'
import type { Device } from '../../../../contract/api/api.ts'
import { useClient } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { AskFirst } from '../../design/dialogs/ask-first.tsx'
import { Sentence } from '../../design/feedback/states.tsx'
import { ago, timeOf } from '../../text/show.ts'
import { words } from '../../text/words.ts'

/** One browser session or API token, with a button to revoke it; not for the one in use, nor for the server's own token. */
export function SignedInLine({ device }: { device: Device }) {
  const { api, queries } = useClient()
  const { id, name, kind, createdAt, current, serverOwn } = device
  const since = kind === 'browser' ? words.settings.browserSince : words.settings.tokenSince
  return (
    <li>
      <span>
        <span dir="auto">{name}</span>
        <span className="soft small block">
          {since(timeOf(createdAt))}, {lastUseOf(device)}
        </span>
        {serverOwn && (
          <span className="soft small block">
            <Sentence text={words.settings.serverOwn} />
          </span>
        )}
      </span>
      {!current && !serverOwn && (
        <AskFirst
          title={words.settings.revokeTitle(name)}
          text={words.settings.revokeText}
          action={words.settings.revoke}
          act={() => api.revokeDevice(id).then(() => reloadDevices(queries))}
        >
          {(ask) => (
            <Button look="danger" aria-label={`${words.settings.revoke}: ${name}`} onClick={ask}>
              {words.settings.revoke}
            </Button>
          )}
        </AskFirst>
      )}
    </li>
  )
}

function lastUseOf({ current, lastUsedAt }: Device) {
  if (current) return <strong>{words.settings.thisDevice}</strong>
  return lastUsedAt === null ? words.common.never : words.settings.lastUsed(ago(lastUsedAt))
}

export function reloadDevices(queries: QueryClient): Promise<unknown> {
  return queries.invalidateQueries({ queryKey: ['devices'] })
}
