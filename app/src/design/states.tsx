import type { ReactNode } from 'react'
import { isAway } from '../client/api-error.ts'
import { timeOf } from '../show.ts'
import { words } from '../words.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import './states.css'

/** The shape of what is coming, so that nothing jumps when it comes. `lines` are widths in percent. */
export const Skeleton = ({ lines = [70, 40], rows = 1 }: { lines?: readonly number[]; rows?: number }) => (
  <div className="skeleton" role="status" aria-label={words.common.loading}>
    {Array.from({ length: rows }, (_, row) => (
      <div key={row} className="skeleton-row" aria-hidden="true">
        {lines.map((width) => (
          <span key={width} className={`skeleton-line w${Math.round(width / 10) * 10}`} />
        ))}
      </div>
    ))}
  </div>
)

/** Nothing here yet: what belongs here, and the way on. */
export const EmptyState = ({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) => (
  <section className="state">
    <h2>{title}</h2>
    {text && <p className="soft">{text}</p>}
    {children}
  </section>
)

/** What failed, in the server's or our own words, and how to try again. Without a network nothing failed: then it is what is {@link NotHere}. */
export const ErrorState = ({ title = words.common.failed, error, onRetry }: Failure) =>
  isAway(error) ? (
    <NotHere />
  ) : (
    <section className="state" role="alert">
      <span className="state-icon">
        <Icon name="alert" size={24} />
      </span>
      <h2>{title}</h2>
      <p className="soft">{messageOf(error)}</p>
      <Button icon="retry" onClick={onRetry}>
        {words.common.retry}
      </Button>
    </section>
  )

type Failure = { title?: string; error: unknown; onRetry: () => void }

/** What this device does not have while the server is away. Quiet: the line above says so already, and it comes by itself. */
export const NotHere = ({ children = words.common.notHere }: { children?: ReactNode }) => (
  <p className="soft not-here">{children}</p>
)

/** Says that something a person wanted did not work. That the network is away is no fault, and not shown as one. */
export const Fault = ({ error }: { error: unknown }) => (
  <Note mood={isAway(error) ? 'wait' : 'bad'}>
    <p role="alert">{messageOf(error)}</p>
  </Note>
)

/** @returns the sentence for a person in anything thrown */
export const messageOf = (error: unknown): string =>
  error instanceof Error && error.message ? error.message : words.common.unknownFault

/** Says that what follows is old; nothing for what comes from the server now. */
export const AsOf = ({ time }: { time: string | undefined }) =>
  time === undefined ? null : (
    <p className="small soft" role="note">
      {words.common.asOf(timeOf(time))}
    </p>
  )

/** A short remark in a box, of one of four moods. */
export const Note = ({ mood = 'plain', children }: { mood?: 'plain' | 'good' | 'bad' | 'wait'; children: ReactNode }) => (
  <div className={`note ${mood}`}>{children}</div>
)
