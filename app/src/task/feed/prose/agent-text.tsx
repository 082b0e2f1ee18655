import { lazy, memo, Suspense, useState } from 'react'
import { lastLines, type LiveOutput as Output } from '../../../../../client/feed.ts'
import { visibleMarks } from '../../text/format.ts'
import { TASK_WORDS } from '../../text/words.ts'

function PlainText({ text }: { text: string }) {
  return (
    <div className="prose plain" dir="auto">
      {visibleMarks(text)}
    </div>
  )
}

// Loads together with the events. The device caches it after its first use, so without a network it may be missing.
const loading = import('./markdown.tsx').catch(() => ({ default: PlainText }))
const Markdown = lazy(() => loading)

let here: typeof PlainText | null = null
void loading.then((part) => {
  here = part.default
})

/** Text of the agent, shown plain until the markdown renderer has loaded. */
export const AgentText = memo(({ text }: { text: string }) => {
  // A lazy component would suspend every text again, each with its own layout, even after it has loaded.
  const [Ready] = useState(() => here)
  if (Ready) return <Ready text={text} />
  return (
    <Suspense fallback={<PlainText text={text} />}>
      <Markdown text={text} />
    </Suspense>
  )
})

/** The text that is being written right now; the stored text replaces it. */
export function LiveText({ text }: { text: string | null }) {
  return text === null || text.trim() === '' ? null : (
    <div className="live-text" data-live="">
      <AgentText text={text} />
    </div>
  )
}

/** Enough to see that it goes on, and where it stands. */
const LINES = 10

/** What the running command printed last. The stored output replaces it when the command ends. */
export const LiveOutput = memo(({ output }: { output: Output | null }) => {
  const lines = output === null ? [] : lastLines(output, LINES)
  if (lines.every((line) => line === '')) return null
  return (
    <section aria-label={TASK_WORDS.work.printsNow}>
      <pre className="live-output mono" dir="auto">
        {visibleMarks(lines.join('\n'))}
      </pre>
    </section>
  )
})
