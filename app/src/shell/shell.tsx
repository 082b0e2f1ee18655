import { type ReactNode, useEffect, useState } from 'react'
import { Link, useLocation, useRoute } from 'wouter'
import { useClient, useMe } from '../client/hooks.ts'
import { Icon, type IconName, Mark } from '../design/icons/icon.tsx'
import { words } from '../text/words.ts'
import { StatusLines } from './status-lines.tsx'
import './shell.css'
import { KeysSheet, useKeys } from './keys.tsx'

type Place = { href: string; word: string; icon: IconName }

const PLACES: readonly Place[] = [
  { href: '/', word: words.nav.tasks, icon: 'tasks' },
  { href: '/new', word: words.nav.create, icon: 'plus' },
  { href: '/projects', word: words.nav.projects, icon: 'folder' },
  { href: '/settings', word: words.nav.settings, icon: 'settings' },
]
const ADMIN: Place = { href: '/admin', word: words.nav.admin, icon: 'gauge' }

/** The frame around every screen: the navigation (below on a phone, at the side on a desktop) and the status lines. */
export function Shell({ children }: { children: ReactNode }) {
  const [path] = useLocation()
  const [inTask] = useRoute('/task/*?')
  const { data: me } = useMe()
  const [keysOpen, setKeysOpen] = useState(false)
  useKeys(() => setKeysOpen(true))
  useRenewedPush()
  const places = me?.admin ? [...PLACES, ADMIN] : PLACES
  return (
    <div className={`shell${inTask || path === '/new' ? ' without-tabs' : ''}`}>
      <a className="skip" href="#content">
        {words.common.skip}
      </a>
      <nav className="places" aria-label={words.nav.label}>
        <Link href="/" className="brand" tabIndex={-1} aria-hidden="true">
          <Mark size={28} />
          {words.name}
        </Link>
        {places.map(({ href, word, icon }) => (
          <Link key={href} href={href} className="place" {...(path === href && { 'aria-current': 'page' as const })}>
            <Icon name={icon} />
            {word}
          </Link>
        ))}
      </nav>
      <div className="shell-screen">
        <StatusLines />
        {children}
      </div>
      {keysOpen && <KeysSheet onClose={() => setKeysOpen(false)} />}
    </div>
  )
}

/** Renews this browser's push subscription at each start and sign-in. */
function useRenewedPush(): void {
  const { api } = useClient()
  useEffect(() => {
    import('../device/push.ts').then(({ renewPush }) => renewPush(api)).catch(onLater)
  }, [api])
}

/** Without a network, or when the browser refuses, the next start tries again. The settings show the state. */
function onLater(): void {}
