import { type ReactNode, useEffect } from 'react'
import { useLocation } from 'wouter'
import { codeOf, isAway } from '../client/api-error.ts'
import { useClient, useMe, useStateOf } from '../client/hooks.ts'
import { ErrorState, NotHere, Skeleton } from '../design/states.tsx'
import { words } from '../words.ts'
import { keepReturn, takeReturn } from './return-path.ts'

/** Leads whoever is not signed in to the sign-in, and back afterwards. What was typed or not sent yet stays on the device. */
export function SignInGate({ children }: { children: ReactNode }) {
  const client = useClient()
  const me = useMe()
  const [path, navigate] = useLocation()
  const signedOut = useStateOf(client.signedOut) || codeOf(me.error) === 'unauthorized'

  useEffect(() => {
    if (!signedOut) return
    keepReturn(path)
    navigate('/sign-in', { replace: true })
  }, [signedOut, path, navigate])

  useEffect(() => {
    if (!me.isSuccess || signedOut) return
    const back = takeReturn()
    if (back !== null && path === '/') navigate(back, { replace: true })
  }, [me.isSuccess, signedOut, path, navigate])

  if (me.data && !signedOut) return children
  if (me.isError && !signedOut)
    return (
      <main className="crash">
        <h1 className="hidden-for-eyes">{words.name}</h1>
        {isAway(me.error) ? (
          <NotHere>{words.signIn.away}</NotHere>
        ) : (
          <ErrorState title={words.signIn.unreachable} error={me.error} onRetry={() => void me.refetch()} />
        )}
      </main>
    )
  return <ComingIn />
}

/** Before it is known who is there. */
export function ComingIn() {
  return (
    <main className="gate">
      <h1 className="hidden-for-eyes">{words.name}</h1>
      <Skeleton rows={5} />
    </main>
  )
}
