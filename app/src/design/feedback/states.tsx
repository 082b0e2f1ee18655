import type { ReactNode } from 'react'
import { isAway } from '../../client/api-error.ts'
import { timeOf } from '../../show.ts'
import { words } from '../../words.ts'
import { Button } from '../controls/button.tsx'
import { Icon } from '../icons/icon.tsx'
import './states.css'

/** The shape of what is coming, so that nothing jumps when it comes. `lines` are widths in percent. */
export function Skeleton({ lines = [70, 40], rows = 1 }: { lines?: readonly number[]; rows?: number }) {
  return (
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
}

/** Nothing here yet: what belongs here, and the way on. */
export function EmptyState({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) {
  return (
    <section className="state">
      <h2>{title}</h2>
      {text && <p className="soft">{text}</p>}
      {children}
    </section>
  )
}

/** What failed, in the server's or our own words, and how to try again. Without a network nothing failed: then it is what is {@link NotHere}. */
export function ErrorState({ title = words.common.failed, error, onRetry }: Failure) {
  return isAway(error) ? (
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
}

type Failure = { title?: string; error: unknown; onRetry: () => void }

/** What this device does not have while the server is away. Quiet: the line above says so already, and it comes by itself. */
export function NotHere({ children = words.common.notHere }: { children?: ReactNode }) {
  return <p className="soft not-here">{children}</p>
}

/** Says that something a person wanted did not work. That the network is away is no fault, and not shown as one. */
export function Fault({ error }: { error: unknown }) {
  return (
    <Note mood={isAway(error) ? 'wait' : 'bad'}>
      <p role="alert">{messageOf(error)}</p>
    </Note>
  )
}

/** @returns the sentence for a person in anything thrown */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message ? error.message : words.common.unknownFault
}

/** Says that what follows is old; nothing for what comes from the server now. */
export function AsOf({ time }: { time: string | undefined }) {
  return time === undefined ? null : (
    <p className="small soft" role="note">
      {words.common.asOf(timeOf(time))}
    </p>
  )
}

/** A short remark in a box, of one of four moods. */
export function Note({ mood = 'plain', children }: { mood?: 'plain' | 'good' | 'bad' | 'wait'; children: ReactNode }) {
  return <div className={`note ${mood}`}>{children}</div>
}

/** Text in which commands stand between backticks, as the server and the words file write them. */
export function Sentence({ text }: { text: string }) {
  // Odd parts are commands: each stands after an opening backtick.
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))
}
