import type { QueryClient } from '@tanstack/react-query'
import { useClient } from '../client/hooks.ts'
import { AskFirst } from '../design/ask-first.tsx'
import { Button } from '../design/button.tsx'
import { words } from '../words.ts'

/** One browser or program that is signed in, and the end of that. `revoke` is absent for the one that is used right now. */
export const SignedInLine = ({ name, note, revoke }: { name: string; note: string; revoke?: () => Promise<unknown> }) => {
  const { queries } = useClient()
  return (
    <li>
      <span>
        <span dir="auto">{name}</span>
        <span className="soft small block">{note}</span>
      </span>
      {revoke && (
        <AskFirst
          title={words.settings.revokeTitle(name)}
          text={words.settings.revokeText}
          action={words.settings.revoke}
          act={() => revoke().then(() => forgetSignedIn(queries))}
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

/** Tokens are among the devices too: both lists are asked for anew. */
export const forgetSignedIn = (queries: QueryClient): Promise<unknown> =>
  Promise.all(['devices', 'tokens'].map((key) => queries.invalidateQueries({ queryKey: [key] })))
