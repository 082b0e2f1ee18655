import type { ReactNode } from 'react'
import type { Saved } from '../../../../client/task-summary.ts'
import { words } from '../../text/words.ts'
import { AsOf, ErrorState, Skeleton } from '../feedback/states.tsx'
import './section.css'

type Asked<T> = { data: Saved<T> | T | undefined; isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown }

/** One part of a screen, under its heading. */
export function Section({ id, title, text, children }: { id: string; title: string; text?: string; children: ReactNode }) {
  return (
    <section className="section" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {text && <p className="small soft">{text}</p>}
      <div className="card stack">{children}</div>
    </section>
  )
}

/** Data from the server: a skeleton while it loads, the error if it cannot be had, or the data itself, perhaps a saved copy. */
export function Loaded<T extends object>({ asked, children }: { asked: Asked<T>; children: (data: T) => ReactNode }) {
  if (asked.data !== undefined)
    return (
      <>
        <AsOf time={'asOf' in asked.data ? asked.data.asOf : undefined} />
        {children(asked.data)}
      </>
    )
  if (asked.isError) return <ErrorState title={words.common.failed} error={asked.error} onRetry={() => asked.refetch()} />
  return <Skeleton lines={[60, 40]} />
}
