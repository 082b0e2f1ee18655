import { type ReactNode, useEffect } from 'react'
import { useLocation } from 'wouter'
import { codeOf, isAway } from '../../../client/api/api-error.ts'
import { useClient, useMe, useStateOf } from '../client/hooks.ts'
import { ErrorState, NotHere, Skeleton } from '../design/feedback/states.tsx'
import { words } from '../text/words.ts'

const RETURN_KEY = 'errand:return'

/** Sends a signed-out user to the sign-in screen and back afterwards. Drafts and unsent messages stay on the device. */
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
        {isAway(me.error) ? <NotHere>{words.signIn.away}</NotHere> : <ErrorState error={me.error} onRetry={() => me.refetch()} />}
      </main>
    )
  return <LoadingApp />
}

/** Shown until the user is known. */
export function LoadingApp() {
  return (
    <main className="gate">
      <h1 className="hidden-for-eyes">{words.name}</h1>
      <Skeleton rows={5} />
    </main>
  )
}

/** Stores where to go after signing in: the sign-in may leave the app and lose its memory. */
function keepReturn(path: string): void {
  try {
    if (path !== '/') localStorage.setItem(RETURN_KEY, path)
  } catch {
    // Without storage, signing in leads to the task list.
  }
}

/** @returns null if no path was stored */
function takeReturn(): string | null {
  try {
    const path = localStorage.getItem(RETURN_KEY)
    localStorage.removeItem(RETURN_KEY)
    return path?.startsWith('/') && !path.startsWith('//') ? path : null
  } catch {
    return null
  }
}
