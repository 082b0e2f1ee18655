import { lazy, memo, Suspense, useState } from 'react'
import { visibleMarks } from '../../text/visible-marks.ts'

function PlainText({ text }: { text: string }) {
  return (
    <div className="prose plain" dir="auto">
      {visibleMarks(text)}
    </div>
  )
}

// On its way while the events are. It is not kept on the device before it was needed once: without a network it may not come.
const loading = import('./markdown.tsx').catch(() => ({ default: PlainText }))
const Markdown = lazy(() => loading)

let here: typeof PlainText | null = null
void loading.then((part) => {
  here = part.default
})

/** Text of the agent; readable as it is until the part that lays it out has come. */
export const AgentText = memo(({ text }: { text: string }) => {
  // A lazy part makes every text wait once more, each with a layout of its own, although it is here.
  const [Ready] = useState(() => here)
  if (Ready) return <Ready text={text} />
  return (
    <Suspense fallback={<PlainText text={text} />}>
      <Markdown text={text} />
    </Suspense>
  )
})

/** The text that is being written right now; the stored one takes its place. */
export function LiveText({ text }: { text: string | null }) {
  return text === null || text.trim() === '' ? null : (
    <div className="live-text" data-live="">
      <AgentText text={text} />
    </div>
  )
}
