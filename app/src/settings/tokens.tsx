import { useState } from 'react'
import { useClient, useSaved } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { words } from '../words.ts'
import { lastUsed } from './last-used.ts'
import { NewToken } from './new-token.tsx'
import { Loaded, Section } from './section.tsx'
import { SignedInLine } from './signed-in-line.tsx'

/** Tokens for programs. */
export const Tokens = () => {
  const { api } = useClient()
  const [making, setMaking] = useState(false)
  const list = useSaved('tokens', api.tokens)
  return (
    <Section id="tokens" title={words.settings.tokens} text={words.settings.tokensText}>
      <Loaded asked={list}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="soft">{words.settings.tokensEmpty}</p>
          ) : (
            <ul className="card-lines">
              {items.map((token) => (
                <SignedInLine
                  key={token.id}
                  name={token.name}
                  note={lastUsed(token.lastUsedAt)}
                  revoke={() => api.revokeToken(token.id)}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      <p>
        <Button icon="plus" onClick={() => setMaking(true)}>
          {words.settings.newToken}
        </Button>
      </p>
      {making && <NewToken onClose={() => setMaking(false)} />}
    </Section>
  )
}
