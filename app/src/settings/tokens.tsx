import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ApiToken } from '../../../contract/api.ts'
import { useClient, useSaved } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { age } from '../show.ts'
import { words } from '../words.ts'
import { NewToken } from './new-token.tsx'
import { Loaded, Section } from './section.tsx'

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
                <TokenLine key={token.id} token={token} />
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

const TokenLine = ({ token }: { token: ApiToken }) => {
  const { api, queries } = useClient()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.revokeToken(token.id),
    onSuccess: () => Promise.all(['devices', 'tokens'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <li>
      <span>
        <span dir="auto">{token.name}</span>
        <span className="soft small block">
          {token.lastUsedAt ? words.settings.lastUsed(age(token.lastUsedAt)) : words.common.never}
        </span>
      </span>
      <Button look="danger" aria-label={`${words.settings.revoke}: ${token.name}`} onClick={() => setAsking(true)}>
        {words.settings.revoke}
      </Button>
      {asking && (
        <Confirm
          title={words.settings.revokeTitle(token.name)}
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
