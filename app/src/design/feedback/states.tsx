import { type ReactNode, useState } from 'react'
import { isAway } from '../../../../client/api/api-error.ts'
import { timeOf } from '../../text/show.ts'
import { words } from '../../text/words.ts'
import { Button } from '../controls/button.tsx'
import { Icon } from '../icons/icon.tsx'
import './states.css'

/** A placeholder in the shape of the content, so that nothing jumps when it arrives. `lines` are widths in percent. */
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

/** An empty screen: what belongs here, and what to do next. */
export function EmptyState({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) {
  return (
    <section className="state">
      <h2>{title}</h2>
      {text && <p className="soft">{text}</p>}
      {children}
    </section>
  )
}

/** What failed, and a way to try again. A missing network is no failure: it shows {@link NotHere} instead. */
export function ErrorState({ title = words.common.failed, error, onRetry }: Failure) {
  const [busy, setBusy] = useState(false)
  const retry = async () => {
    setBusy(true)
    await onRetry()
    setBusy(false)
  }
  return isAway(error) ? (
    <NotHere />
  ) : (
    <section className="state" role="alert">
      <span className="state-icon">
        <Icon name="alert" size={24} />
      </span>
      <h2>{title}</h2>
      <p className="soft">{messageOf(error)}</p>
      <Button icon="retry" busy={busy} onClick={() => void retry()}>
        {words.common.retry}
      </Button>
    </section>
  )
}

/** @property onRetry does not reject; until it has ended, the button takes no second tap */
type Failure = { title?: string; error: unknown; onRetry: () => unknown }

/** Content that this device does not have while the server is away. Quiet: the status line says so already, and it loads by itself. */
export function NotHere({ children = words.common.notHere }: { children?: ReactNode }) {
  return <p className="soft not-here">{children}</p>
}

/** Shows why an action failed. A missing network is no fault and is not shown as one. */
export function Fault({ error }: { error: unknown }) {
  return (
    <Note mood={isAway(error) ? 'wait' : 'bad'}>
      <p role="alert">{messageOf(error)}</p>
    </Note>
  )
}

/** @returns the message to show for anything that was thrown */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message ? error.message : words.common.unknownFault
}

/** Marks what follows as a saved copy; nothing if `time` is undefined. */
export function AsOf({ time }: { time: string | undefined }) {
  return time === undefined ? null : (
    <p className="small soft" role="note">
      {words.common.asOf(timeOf(time))}
    </p>
  )
}

/** A short remark in a box, in one of four moods. */
export function Note({ mood = 'plain', children }: { mood?: 'plain' | 'good' | 'bad' | 'wait'; children: ReactNode }) {
  return <div className={`note ${mood}`}>{children}</div>
}

/** Text in which commands stand between backticks, as the server and the words file write them. */
export function Sentence({ text }: { text: string }) {
  // Odd parts are commands: each stands after an opening backtick.
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))
}
