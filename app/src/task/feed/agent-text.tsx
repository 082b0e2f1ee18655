import { lazy, memo, Suspense } from 'react'

const PlainText = ({ text }: { text: string }) => <div className="prose plain">{text}</div>

// Not kept on the device before it was needed once: without a network it may not come.
const Markdown = lazy(() => import('./markdown.tsx').catch(() => ({ default: PlainText })))

/** Text of the agent; readable as it is until the part that lays it out has come. */
export const AgentText = memo(({ text }: { text: string }) => (
  <Suspense fallback={<PlainText text={text} />}>
    <Markdown text={text} />
  </Suspense>
))
