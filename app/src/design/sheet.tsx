import { type ReactNode, useEffect, useId, useRef } from 'react'
import { words } from '../words.ts'
import { IconButton } from './button.tsx'
import './sheet.css'

/** A dialog: from below on a phone, in the middle of a desk. Esc, the cross and a tap beside it close it; the focus goes back to where it was, or to the heading. */
export const Sheet = ({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const cameFrom = document.activeElement
    dialog.current?.showModal()
    return () => {
      // What it was opened from may be gone by what was done in it.
      if (cameFrom instanceof HTMLElement && cameFrom.isConnected) cameFrom.focus()
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
      onClick={(event) => event.target === dialog.current && onClose()}
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
