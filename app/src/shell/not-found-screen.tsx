import { LinkButton } from '../design/controls/button.tsx'
import { EmptyState } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { words } from '../text/words.ts'

export function NotFoundScreen() {
  return (
    <Screen title={words.notFound.title} back="/">
      <EmptyState title={words.notFound.title} text={words.notFound.text}>
        <LinkButton look="main" href="/">
          {words.notFound.home}
        </LinkButton>
      </EmptyState>
    </Screen>
  )
}
