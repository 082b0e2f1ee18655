import { type ReactNode, useEffect, useId, useRef } from 'react'
import { words } from '../../words.ts'
import { IconButton } from '../controls/button.tsx'
import './sheet.css'

type Props = {
  title: string
  onClose: () => void
  /** Whether a tap beside it closes it; not where that would lose what is shown only once. */
  closesBeside?: boolean
  children: ReactNode
}

/** A dialog: from below on a phone, in the middle of a desk. Esc, the cross and a tap beside it close it; the focus goes back to where it was, or to the heading. */
export function Sheet({ title, onClose, closesBeside = true, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  /** A click is also what begins in the dialog, as marking a text does, and ends beside it. */
  const beganBeside = useRef(false)
  const titleId = useId()
  useEffect(() => {
    const cameFrom = document.activeElement
    dialog.current?.showModal()
    return () => {
      // What it was opened from may be gone, by what was done in it or before it came.
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
