import { type KeyboardEvent, useRef, useState } from 'react'
import type { Task } from '../../../../contract/api/api.ts'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { useClient, useDraft } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { isUnderWay } from '../model/under-way.ts'
import { TASK_WORDS } from '../text/words.ts'
import { type Mode, ModeChoice } from './mode-choice.tsx'
import './composer.css'

const WORDS = TASK_WORDS.composer

/** Where a person answers the agent. What is typed outlives a closed app; what is sent is kept before it leaves. */
export function Composer({ task }: { task: Task }) {
  const { outbox } = useClient()
  const place = `task:${task.id}`
  const [text, setText] = useDraft(place)
  const [mode, setMode] = useState<Mode>('steer')
  const area = useRef<HTMLTextAreaElement>(null)
  const busy = isUnderWay(task.status)
  const over = text.length - LIMITS.promptChars
  const empty = text.trim() === '' || over > 0
  const send = (message: { mode: Mode; stopFirst?: boolean }) => {
    if (empty) return
    outbox.sendMessage(task.id, { text, ...message })
    setText('')
    // Wherever the person reads, what they said is at the end.
    scrollTo({ top: document.documentElement.scrollHeight })
    area.current?.focus()
  }
  const sendAsChosen = () => send({ mode: busy ? mode : 'queue' })
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return
    event.preventDefault()
    sendAsChosen()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        sendAsChosen()
      }}
    >
      {busy && text !== '' && <ModeChoice mode={mode} onChange={setMode} />}
      <div className="composer-line">
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          aria-label={WORDS.label}
          placeholder={busy ? WORDS[`${mode}Placeholder`] : WORDS.endedPlaceholder}
          enterKeyHint="enter"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <Button
          type="submit"
          look="main"
          icon="send"
          className="composer-send"
          disabled={empty}
          aria-label={WORDS.send}
          title={WORDS.send}
        >
          {null}
        </Button>
      </div>
      {text !== '' && (
        <div className="composer-below small">
          <span className={over > 0 ? 'bad' : 'soft'}>{over > 0 ? WORDS.tooLong(over) : hintOf(busy, mode)}</span>
          {/* Said once, and not with every letter. */}
          {over > 0 && (
            <span className="hidden-for-eyes" role="alert">
              {WORDS.isTooLong}
            </span>
          )}
          {busy && (
            <Button look="quiet" disabled={empty} onClick={() => send({ mode: 'queue', stopFirst: true })}>
              {WORDS.stopAndSend}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}

function hintOf(busy: boolean, mode: Mode): string {
  return busy ? WORDS[`${mode}Hint`] : WORDS.endedHint
}
