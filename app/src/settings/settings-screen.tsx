import { useEffect } from 'react'
import { Screen } from '../design/screen/screen.tsx'
import { words } from '../text/words.ts'
import { Budget } from './budget.tsx'
import { GitAccess } from './git-access.tsx'
import { Install } from './install.tsx'
import { Notifications } from './notifications.tsx'
import { Account } from './signed-in/account.tsx'
import { Devices } from './signed-in/devices.tsx'
import './settings.css'
import { ThemeChoice } from './theme-choice.tsx'

/** The version of the app on this device, set by the build. */
declare const APP_VERSION: string

export function SettingsScreen() {
  useEffect(() => {
    // A link to one section: the router does not scroll.
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView()
  }, [])
  return (
    <Screen title={words.settings.title}>
      <Account />
      <GitAccess />
      <Budget />
      <Notifications />
      <ThemeChoice />
      <Devices />
      <Install />
      <p className="small soft">{words.admin.version(APP_VERSION)}</p>
    </Screen>
  )
}
