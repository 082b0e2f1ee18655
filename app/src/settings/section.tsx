import type { ReactNode } from 'react'
import type { Saved } from '../client/saved.ts'
import { AsOf, ErrorState, Skeleton } from '../design/states.tsx'
import { words } from '../words.ts'

type Asked<T> = { data: Saved<T> | T | undefined; isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown }

/** One part of the settings, under its heading. */
export function Section({ id, title, text, children }: { id: string; title: string; text?: string; children: ReactNode }) {
  return (
    <section className="settings-section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {text && <p className="small soft">{text}</p>}
      <div className="card stack">{children}</div>
    </section>
  )
}

/** What the server was asked for: its shape, why it is not there, or the thing itself, perhaps as it was saved. */
export function Loaded<T extends object>({ asked, children }: { asked: Asked<T>; children: (data: T) => ReactNode }) {
  if (asked.data !== undefined)
    return (
      <>
        <AsOf time={'asOf' in asked.data ? asked.data.asOf : undefined} />
        {children(asked.data)}
      </>
    )
  if (asked.isError) return <ErrorState title={words.common.failed} error={asked.error} onRetry={() => void asked.refetch()} />
  return <Skeleton lines={[60, 40]} />
}
