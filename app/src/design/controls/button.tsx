import type { ComponentProps, MouseEvent, ReactNode } from 'react'
import { Link } from 'wouter'
import './button.css'
import { Icon, type IconName } from '../icons/icon.tsx'

type Look = 'main' | 'plain' | 'quiet' | 'danger'
type Shared = { look?: Look; icon?: IconName; children: ReactNode }

/**
 * A button with a word in it. `busy` blocks a second tap. The button is not `disabled` meanwhile, because that would take the focus from
 * the user.
 */
export function Button({
  look = 'plain',
  icon,
  busy = false,
  onClick,
  children,
  type = 'button',
  className = '',
  ...rest
}: Shared & { busy?: boolean } & ComponentProps<'button'>) {
  return (
    <button
      type={type}
      className={`button ${look} ${className}`}
      {...(busy && { 'aria-busy': true, 'aria-disabled': true })}
      onClick={busy ? preventDefault : onClick}
      {...rest}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  )
}

/** Also keeps the button from submitting its form. */
function preventDefault(event: MouseEvent) {
  return event.preventDefault()
}

/** A link to another screen that looks like a button. */
export function LinkButton({ look = 'plain', icon, href, children }: Shared & { href: string }) {
  return (
    <Link href={href} className={`button ${look}`}>
      {icon && <Icon name={icon} size={18} />}
      {children}
    </Link>
  )
}

/** An icon without a word; `label` is its accessible name and its tooltip. */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: { icon: IconName; label: string } & ComponentProps<'button'>) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  )
}
