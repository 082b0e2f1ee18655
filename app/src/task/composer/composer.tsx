import { type KeyboardEvent, type RefObject, useRef, useState } from 'react'
import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { useClient, useDraft } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { TASK_WORDS } from '../text/words.ts'
import './composer.css'

const WORDS = TASK_WORDS.composer

/** Where the user answers the agent. A draft survives a closed app; a message is stored before it is sent. */
export function Composer({ task }: { task: Task }) {
  const { outbox } = useClient()
  const [text, setText] = useDraft(`task:${task.id}`)
  const [mode, setMode] = useState<Mode>('steer')
  const area = useRef<HTMLTextAreaElement>(null)
  const busy = isUnderWay(task.status)
  const over = text.length - LIMITS.promptChars
  const empty = text.trim() === '' || over > 0
  const send = (message: { mode: Mode; stopFirst?: boolean }) => {
    if (empty) return
    outbox.sendMessage(task.id, { text, ...message })
    setText('')
    // The new message is at the end, wherever the user is reading.
    scrollTo({ top: document.documentElement.scrollHeight })
    area.current?.focus()
  }
  const sendAsChosen = () => send({ mode: busy ? mode : 'queue' })
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        sendAsChosen()
      }}
    >
      {busy && text !== '' && <ModeChoice mode={mode} onChange={setMode} />}
      <MessageLine
        area={area}
        text={text}
        placeholder={busy ? WORDS[`${mode}Placeholder`] : WORDS.endedPlaceholder}
        empty={empty}
        onChange={setText}
        onSend={sendAsChosen}
      />
      {text !== '' && (
        <div className="composer-below small">
          <Hint over={over} hint={busy ? WORDS[`${mode}Hint`] : WORDS.endedHint} />
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

type MessageLineProps = {
  area: RefObject<HTMLTextAreaElement | null>
  text: string
  placeholder: string
  empty: boolean
  onChange: (text: string) => void
  onSend: () => void
}

function MessageLine({ area, text, placeholder, empty, onChange, onSend }: MessageLineProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return
    event.preventDefault()
    onSend()
  }
  return (
    <div className="composer-line">
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        value={text}
        aria-label={WORDS.label}
        placeholder={placeholder}
        enterKeyHint="enter"
        onChange={(event) => onChange(event.target.value)}
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
  )
}

/** When the agent gets the message, or by how much it is too long. */
function Hint({ over, hint }: { over: number; hint: string }) {
  if (over <= 0) return <span className="soft">{hint}</span>
  return (
    <>
      <span className="bad">{WORDS.tooLong(over)}</span>
      {/* A screen reader hears this once; the count changes with every letter. */}
      <span className="hidden-for-eyes" role="alert">
        {WORDS.isTooLong}
      </span>
    </>
  )
}

type Mode = 'steer' | 'queue'

const MODES: readonly Mode[] = ['steer', 'queue']

/** When the running agent reads the message. */
function ModeChoice({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  return (
    <fieldset className="modes">
      <legend className="hidden-for-eyes">{WORDS.mode}</legend>
      {MODES.map((one) => (
        <label key={one} className={one === mode ? 'mode chosen' : 'mode'}>
          <input type="radio" name="mode" className="hidden-for-eyes" checked={one === mode} onChange={() => onChange(one)} />
          {WORDS[one]}
        </label>
      ))}
    </fieldset>
  )
}
