import { words } from '../words.ts'
import { Button } from './button.tsx'
import { Sheet } from './sheet.tsx'
import { Fault } from './states.tsx'

/** Asks before something is lost. */
export function Confirm({
  title,
  text,
  action,
  busy,
  error,
  onConfirm,
  onClose,
}: {
  title: string
  text: string
  action: string
  busy: boolean
  error: unknown
  onConfirm: () => void
  onClose: () => void
}) {
  return (
    <Sheet title={title} onClose={onClose}>
      <p className="soft">{text}</p>
      {error !== null && error !== undefined && <Fault error={error} />}
      <div className="row">
        <Button look="danger" busy={busy} onClick={onConfirm}>
          {action}
        </Button>
        <Button onClick={onClose}>{words.common.cancel}</Button>
      </div>
    </Sheet>
  )
}
