import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { isAway } from '../../../client/api/api-error.ts'
import { useClient, useStateOf } from '../client/hooks.ts'
import { ErrorState, Note, NotHere, Skeleton } from '../design/feedback/states.tsx'
import { Icon, Mark } from '../design/icons/icon.tsx'
import { words } from '../text/words.ts'
import { PasteLink } from './paste-link.tsx'
import './sign-in.css'

/** Without a session there is no connection that would report that the server is back, so the screen polls. */
const ASK_ON = { retry: (_count: number, error: unknown) => isAway(error), retryDelay: 3_000 }

/** GitHub if the server has it, and always the one-time link. */
export function SignInScreen() {
  const { api, signedOut, queries } = useClient()
  const [, navigate] = useLocation()
  const wasSignedOut = useStateOf(signedOut)
  const ways = useQuery({ queryKey: ['sign-in-ways'], queryFn: () => api.findSignInWays(), staleTime: 60_000, ...ASK_ON })
  useSignedInElsewhere()
  const h1 = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${words.signIn.title} · ${words.name}`
    h1.current?.focus()
  }, [])
  useEffect(() => {
    if (!wasSignedOut) navigate('/', { replace: true })
  }, [wasSignedOut, navigate])
  return (
    <main className="sign-in">
      <header className="sign-in-head">
        <Mark size={56} />
        <h1 ref={h1} tabIndex={-1}>
          {words.name}
        </h1>
        <p className="soft">{words.tagline}</p>
      </header>
      {wasSignedOut && queries.getQueryData(['me']) !== undefined && (
        <Note mood="wait">
          <p role="status">{words.signIn.ended}</p>
        </Note>
      )}
      {ways.isPending && !isAway(ways.failureReason) && <Skeleton lines={[90, 60]} />}
      {isAway(ways.failureReason) && <NotHere>{words.signIn.away}</NotHere>}
      {ways.isError && <ErrorState error={ways.error} onRetry={() => ways.refetch()} />}
      {ways.data && (
        <section className="stack" aria-label={words.signIn.title}>
          {ways.data.github && (
            // A full page load in this window: GitHub redirects back to it.
            <a className="button main" href="/auth/github">
              <Icon name="github" size={18} />
              {words.signIn.github}
            </a>
          )}
          <Note>
            <p>{words.signIn.link}</p>
            <pre className="sign-in-command">
              <code>{words.signIn.command}</code>
            </pre>
            <p className="small soft">{words.signIn.once}</p>
          </Note>
          <PasteLink />
        </section>
      )}
    </main>
  )
}

/** Continues when the user signed in elsewhere: in another window, or by a link opened from an e-mail. */
function useSignedInElsewhere(): void {
  const { api } = useClient()
  useEffect(() => {
    const ask = () => {
      if (document.visibilityState !== 'visible') return
      // A full page load, because it may be another user.
      api.findMe().then(
        () => location.assign('/'),
        () => {},
      )
    }
    window.addEventListener('focus', ask)
    window.addEventListener('pageshow', ask)
    document.addEventListener('visibilitychange', ask)
    return () => {
      window.removeEventListener('focus', ask)
      window.removeEventListener('pageshow', ask)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [api])
}
