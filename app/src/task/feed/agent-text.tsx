import { lazy, memo, Suspense } from 'react'

const Markdown = lazy(() => import('./markdown.tsx'))

/** Text of the agent; readable as it is until the part that lays it out has come. */
export const AgentText = memo(({ text }: { text: string }) => (
  <Suspense fallback={<div className="prose plain">{text}</div>}>
    <Markdown text={text} />
  </Suspense>
))
