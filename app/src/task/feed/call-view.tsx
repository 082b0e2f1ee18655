import { memo, useState } from 'react'
import { Link } from 'wouter'
import { Icon } from '../../design/icon.tsx'
import { editDiff } from '../edit-diff.ts'
import { type Call, hasFailed } from '../feed-items.ts'
import { duration, fileSize } from '../format.ts'
import { previewOf } from '../output-preview.ts'
import { TASK_WORDS } from '../words.ts'
import { describeCall } from '../work-summary.ts'
import { useChoice } from './choices.tsx'
import { CopyButton } from './copy-button.tsx'
import { Counts } from './counts.tsx'
import { DiffView } from './diff-view.tsx'

const WORDS = TASK_WORDS.work

/** A call on one line, that opens to the change it made or the end of what it wrote. A failed one is open from the start. */
export const CallView = memo(({ taskId, call, alone }: { taskId: string; call: Call; alone: boolean }) => {
  const failed = hasFailed(call)
  const isEdit = call.name === 'edit' || call.name === 'write'
  // What opened as the only one stays open when it is no longer that.
  const [begunAlone] = useState(alone)
  const [open, toggle] = useChoice(`call-${call.attempt}-${call.callId}`, failed || isEdit || begunAlone)
  return (
    <li className={failed ? 'call failed' : 'call'}>
      <button type="button" className="call-line" aria-expanded={open} onClick={toggle}>
        <CallMark call={call} failed={failed} />
        <span className="call-what mono">
          <span className="call-verb">{WORDS.verbs[call.name] ?? call.name}</span> {describeCall(call)}
        </span>
        <CallFacts call={call} />
      </button>
      {open && <CallBody taskId={taskId} call={call} />}
    </li>
  )
})

const CallMark = ({ call, failed }: { call: Call; failed: boolean }) =>
  call.ended === null ? <span className="dot-alive" /> : <Icon name={failed ? 'cross' : 'check'} size={16} />

const CallFacts = ({ call: { name, ended, input } }: { call: Call }) => {
  if (!ended) return <span className="call-facts">{WORDS.running}</span>
  const failure = ended.exitCode ? WORDS.exit(ended.exitCode) : ended.ok ? '' : WORDS.callFailed
  const diff = ended.ok ? editDiff(name, input) : null
  const time = ended.durationMs >= (name === 'bash' ? 100 : 1_000) ? duration(ended.durationMs) : ''
  return (
    <span className="call-facts numbers">
      {failure && <span className="bad">{failure}</span>}
      {diff && <Counts added={diff.added} removed={diff.removed} />}
      {time && <span>{time}</span>}
    </span>
  )
}

const CallBody = ({ taskId, call }: { taskId: string; call: Call }) => {
  const diff = call.ended?.ok === false ? null : editDiff(call.name, call.input)
  const what = describeCall(call)
  if (diff)
    return (
      <div className="call-body">
        <DiffView rows={diff.rows} label={what} />
      </div>
    )
  return (
    <div className="call-body">
      {call.name === 'bash' && (
        <div className="command">
          <pre className="mono">{what}</pre>
          <CopyButton text={what} />
        </div>
      )}
      {call.ended && <Output taskId={taskId} call={call} />}
    </div>
  )
}

const Output = ({ taskId, call }: { taskId: string; call: Call }) => {
  if (!call.ended) return null
  const { text, linesAbove, bytes, cut } = previewOf(call.ended)
  if (text === '') return <p className="soft small">{WORDS.noOutput}</p>
  return (
    <>
      {linesAbove > 0 && <p className="soft small">{WORDS.linesAbove(linesAbove)}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className="output" tabIndex={0}>
        {text}
      </pre>
      {cut && (
        <Link className="button quiet show-all" href={`/task/${taskId}/log/${encodeURIComponent(call.callId)}`}>
          {WORDS.showAll(fileSize(bytes))}
        </Link>
      )}
    </>
  )
}
