import { words } from '../words.ts'
import { Section } from './section.tsx'

/** How to have it as an app; nothing once it is one. */
export const Install = () =>
  matchMedia('(display-mode: standalone)').matches ? null : (
    <Section id="install" title={words.settings.install}>
      <p className="soft">{words.settings.installText}</p>
    </Section>
  )
