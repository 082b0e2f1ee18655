import { memo, useState } from 'react'
import { Link } from 'wouter'
import { wasCutOff } from '../../../../../contract/api/tool-output.ts'
import { CopyButton } from '../../../design/controls/copy.tsx'
import { Counts } from '../../../design/feedback/badges.tsx'
import { Icon } from '../../../design/icons/icon.tsx'
import { type Call, hasFailed } from '../../model/feed-items.ts'
import { callKey } from '../../model/feed-rows.ts'
import { editDiff } from '../../text/edit-diff.ts'
import { duration, fileSize } from '../../text/format.ts'
import { previewOf } from '../../text/output-preview.ts'
import { TASK_WORDS } from '../../text/words.ts'
import { describeCall } from '../../text/work-summary.ts'
import { useChoice } from '../rows/choices.tsx'
import { DiffView } from './diff-view.tsx'

const WORDS = TASK_WORDS.work

type Props = {
  taskId: string
  call: Call
  /** Whether it is open when its group opens. */
  startsOpen: boolean
  /** Whether it is a failure that opens by itself. */
  shown: boolean
  /** Called when the user opens or closes it. */
  onToggle: () => void
}

/** A call on one line. It opens to the change it made, or to the end of its output. */
export const CallView = memo(({ taskId, call, startsOpen, shown, onToggle }: Props) => {
  const isEdit = call.name === 'edit' || call.name === 'write'
  // A call that opened as the only one stays open when others follow.
  const [begunOpen] = useState(startsOpen)
  const [open, toggle] = useChoice(`call-${callKey(call)}`, shown || isEdit || begunOpen)
  const choose = () => {
    onToggle()
    toggle()
  }
  return (
    <li className={`call ${stateOf(call)}`}>
      <button type="button" className="call-line" aria-expanded={open} onClick={choose}>
        <CallMark call={call} />
        <span className="call-what mono">
          <span className="call-verb">{WORDS.verbs[call.name] ?? call.name}</span> {describeCall(call)}
        </span>
        <CallFacts call={call} />
      </button>
      {open && <CallBody taskId={taskId} call={call} />}
    </li>
  )
})

type CallState = 'running' | 'ok' | 'failed' | 'cut'

function stateOf(call: Call): CallState {
  if (call.ended === null) return 'running'
  return wasCutOff(call.ended) ? 'cut' : hasFailed(call) ? 'failed' : 'ok'
}

const MARKS = { ok: 'check', failed: 'cross', cut: 'stop' } as const

function CallMark({ call }: { call: Call }) {
  const state = stateOf(call)
  return state === 'running' ? <span className="dot-alive" /> : <Icon name={MARKS[state]} size={16} />
}

function CallFacts({ call }: { call: Call }) {
  const { name, ended, input, cancelled } = call
  if (!ended) return <span className="call-facts">{WORDS.running}</span>
  const state = stateOf(call)
  const failure = state === 'failed' ? (ended.exitCode ? WORDS.exit(ended.exitCode) : WORDS.callFailed) : ''
  const diff = ended.ok ? editDiff(name, input) : null
  const time = ended.durationMs >= (name === 'bash' ? 100 : 1_000) ? duration(ended.durationMs) : ''
  return (
    <span className="call-facts numbers">
      {failure && <span className="bad">{failure}</span>}
      {state === 'cut' && <span>{cancelled ? WORDS.cancelled : WORDS.cutOff}</span>}
      {diff && <Counts added={diff.added} removed={diff.removed} />}
      {time && <span>{time}</span>}
    </span>
  )
}

function CallBody({ taskId, call }: { taskId: string; call: Call }) {
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
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre className="mono" tabIndex={0}>
            {what}
          </pre>
          <CopyButton text={what} />
        </div>
      )}
      {call.ended && <Output taskId={taskId} call={call} />}
    </div>
  )
}

function Output({ taskId, call }: { taskId: string; call: Call }) {
  if (!call.ended) return null
  const { text, linesAbove, bytes, cut } = previewOf(call.ended)
  if (text === '') return <p className="soft small">{WORDS.noOutput}</p>
  return (
    <>
      {(linesAbove > 0 || cut) && (
        <div className="above small">
          <span className="soft">{linesAbove > 0 && WORDS.linesAbove(linesAbove)}</span>
          {cut && (
            <Link className="button quiet" href={`/task/${taskId}/log/${encodeURIComponent(call.callId)}`}>
              {WORDS.showAll(fileSize(bytes))}
            </Link>
          )}
        </div>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className="output-end" tabIndex={0}>
        <pre className="output">{text}</pre>
      </div>
    </>
  )
}
