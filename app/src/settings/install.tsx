import { useMutation } from '@tanstack/react-query'
import { useStateOf } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { Section } from '../design/screen/section.tsx'
import { installOffer } from '../device/watch.ts'
import { words } from '../text/words.ts'

/** How to install the app; nothing once it is installed. */
export function Install() {
  const offer = useStateOf(installOffer)
  const install = useMutation({
    mutationFn: async () => {
      // An offer can be used once, whatever the user answers.
      installOffer.set(null)
      await offer?.prompt()
    },
  })
  if (isInstalled()) return null
  return (
    <Section id="install" title={words.settings.install}>
      {offer ? (
        <>
          <p className="soft">{words.settings.installText}</p>
          <p>
            <Button look="main" icon="down" onClick={() => install.mutate()}>
              {words.settings.installButton}
            </Button>
          </p>
        </>
      ) : (
        <p className="soft">{isApplePhone() ? words.settings.installApple : words.settings.installMenu}</p>
      )}
    </Section>
  )
}

function isInstalled(): boolean {
  return matchMedia('(display-mode: standalone)').matches || (navigator as { standalone?: boolean }).standalone === true
}

/** An iPad claims to be a Mac, but no Mac has a touch screen. */
function isApplePhone(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1)
}
