import { memo, type ReactNode } from 'react'
import { cutText } from '../../../../../contract/shared/characters.ts'
import type { Message } from '../../model/feed-items.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { useChoice } from './choices.tsx'
import './message.css'

const WORDS = TASK_WORDS.feed
/** A longer message is folded. */
const LONG = { chars: 900, lines: 14 }

/** A message of the user. A message that starts a turn is its heading. */
export const MessageBubble = memo(
  ({
    message,
    turn,
    note = noteOf(message),
    children,
  }: {
    message: Message
    turn: number
    note?: string
    children?: ReactNode
  }) => {
    const { messageId, text, mode, state } = message
    const long = text.length > LONG.chars || text.split('\n', LONG.lines + 1).length > LONG.lines
    const [open, toggle] = useChoice(`message-${messageId}`, !long)
    return (
      <article className={`message ${state}`}>
        {mode === null && state === 'delivered' ? (
          <h2 className="hidden-for-eyes">{WORDS.turn(turn)}</h2>
        ) : (
          <span className="hidden-for-eyes">{WORDS.you}</span>
        )}
        <div className="bubble" dir="auto">
          {open ? text : `${cutText(text.split('\n', LONG.lines).join('\n'), LONG.chars, '').trimEnd()}…`}
          {long && (
            <button type="button" className="button quiet bubble-more" aria-expanded={open} onClick={toggle}>
              {open ? WORDS.showLess : WORDS.showWhole}
            </button>
          )}
        </div>
        {(note || children) && (
          <div className="message-note small soft">
            {note && <span>{note}</span>}
            {children}
          </div>
        )}
      </article>
    )
  },
)

function noteOf({ mode, state }: Message): string {
  if (state === 'withdrawn') return WORDS.withdrawn
  if (state === 'waiting') return mode === 'steer' ? WORDS.waitingSteer : WORDS.waitingQueue
  return mode === 'steer' ? WORDS.steered : ''
}
