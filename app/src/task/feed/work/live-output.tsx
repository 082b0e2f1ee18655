import { memo } from 'react'
import { lastLines, type LiveOutput as Output } from '../../../../../client/live-output.ts'
import { visibleMarks } from '../../text/format.ts'
import { TASK_WORDS } from '../../text/words.ts'

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
