import { type ReactNode, useEffect, useId, useRef } from 'react'
import { words } from '../../text/words.ts'
import { IconButton } from '../controls/button.tsx'
import './sheet.css'

type Props = {
  title: string
  onClose: () => void
  /** Whether a tap outside closes the dialog; false for content that is shown only once. */
  closesBeside?: boolean
  children: ReactNode
}

/** A dialog: from below on a phone, centred on a desktop. Esc, the cross and a tap outside close it; the focus then returns to where it was, or to the heading. */
export function Sheet({ title, onClose, closesBeside = true, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  /** A click also fires when the pointer goes down inside the dialog and up outside, as in selecting text. */
  const beganBeside = useRef(false)
  const titleId = useId()
  useEffect(() => {
    const cameFrom = document.activeElement
    dialog.current?.showModal()
    return () => {
      // The element that opened the dialog may be gone by now.
      if (cameFrom instanceof HTMLElement && cameFrom !== document.body && cameFrom.isConnected) cameFrom.focus()
      else document.querySelector('h1')?.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc is the dialog's own
    <dialog
      ref={dialog}
      className="sheet"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onPointerDown={(event) => {
        beganBeside.current = event.target === dialog.current
      }}
      onClick={(event) => closesBeside && beganBeside.current && event.target === dialog.current && onClose()}
    >
      <div className="sheet-body">
        <div className="sheet-head">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="cross" label={words.common.close} onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  )
}
