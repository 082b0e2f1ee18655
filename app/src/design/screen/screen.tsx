import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import { Link } from 'wouter'
import { words } from '../../text/words.ts'
import { Icon } from '../icons/icon.tsx'
import './screen.css'

/**
 * The frame of a screen: a bar with the heading, the content, and a footer. The heading takes the focus when the screen opens. `back` is
 * where the arrow leads; `footer` sticks to the lower edge (above the keyboard); `wide` lets the content use the width of a desktop.
 */
export function Screen({
  title,
  heading,
  back,
  actions,
  footer,
  wide = false,
  children,
}: {
  title: string
  heading?: ReactNode
  back?: string
  actions?: ReactNode
  footer?: ReactNode
  wide?: boolean
  children: ReactNode
}) {
  const h1 = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    h1.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    document.title = `${title} · ${words.name}`
  }, [title])
  return (
    <div className={`screen${wide ? ' wide' : ''}${footer ? ' has-footer' : ''}`}>
      <StartAtTop />
      <header className="app-bar">
        {back !== undefined && (
          <Link href={back} className="icon-button" aria-label={words.common.back} title={words.common.back}>
            <Icon name="back" />
          </Link>
        )}
        <h1 ref={h1} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions && <div className="app-bar-actions">{actions}</div>}
      </header>
      <main id="content">{children}</main>
      {footer && <div className="screen-footer">{footer}</div>}
    </div>
  )
}

/** Whether the user moved forward to this screen. On the way back the browser restores the scroll position itself. */
let isForward = false
for (const step of ['pushState', 'replaceState']) addEventListener(step, () => (isForward = true))
addEventListener('popstate', () => (isForward = false))

/**
 * Scrolls a new screen to its top; all screens share one page, which would otherwise stay where the last screen was. It is the first
 * child, so that a screen that then scrolls (a feed to its end) wins.
 */
function StartAtTop() {
  useLayoutEffect(() => {
    if (isForward) scrollTo({ top: 0, behavior: 'instant' })
  }, [])
  return null
}
