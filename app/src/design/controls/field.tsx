import { type ReactNode, useId } from 'react'

type Given = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** A label, a control, and a hint or an error. `children` renders the control with the attributes that tie them together. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: ReactNode
  error?: string | null
  children: (given: Given) => ReactNode
}) {
  const id = useId()
  const noteId = `${id}-note`
  const note = error ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(note ? { 'aria-describedby': noteId } : {}), ...(error ? { 'aria-invalid': true as const } : {}) })}
      {note && (
        <p id={noteId} className={error ? 'field-error' : 'field-hint'} {...(error && { role: 'alert' })}>
          {note}
        </p>
      )}
    </div>
  )
}

/** For input that is not prose, such as URLs and branch names: phones must not correct it. */
export const AS_TYPED = { autoCapitalize: 'off', autoCorrect: 'off', autoComplete: 'off', spellCheck: false } as const

/** A setting that takes effect at once. */
export function Switch({
  label,
  hint,
  checked,
  disabled = false,
  onChange,
}: {
  label: string
  hint?: string
  checked: boolean
  disabled?: boolean
  onChange: (checked: boolean) => void
}) {
  const id = useId()
  return (
    <label className="switch" htmlFor={id}>
      <span>
        <span>{label}</span>
        {hint && <span className="soft small block">{hint}</span>}
      </span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
    </label>
  )
}
