import type { ComponentProps, MouseEvent, ReactNode } from 'react'
import { Link } from 'wouter'
import './button.css'
import { Icon, type IconName } from '../icons/icon.tsx'

type Look = 'main' | 'plain' | 'quiet' | 'danger'
type Shared = { look?: Look; icon?: IconName; children: ReactNode }

/**
 * A button with a word in it. `busy` keeps it in place and says so, instead of a second tap. It is not `disabled` then: that would take the
 * focus from whoever pressed it.
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
      onClick={busy ? refuse : onClick}
      {...rest}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  )
}

/** Nor does a form go out that the button belongs to. */
function refuse(event: MouseEvent) {
  return event.preventDefault()
}

/** The same look for a way to another screen. */
export function LinkButton({ look = 'plain', icon, href, children }: Shared & { href: string }) {
  return (
    <Link href={href} className={`button ${look}`}>
      {icon && <Icon name={icon} size={18} />}
      {children}
    </Link>
  )
}

/** A button of an icon alone; `label` is its name for whoever does not see it, and its hint. */
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
