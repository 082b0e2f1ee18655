import { memo } from 'react'
import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import { DEMO_COST } from '../../../../contract/api/status-words.ts'
import { useConnectionState } from '../../client/hooks.ts'
import { AsOf } from '../../design/feedback/states.tsx'
import { timeOf } from '../../text/show.ts'
import { words } from '../../text/words.ts'
import type { Feed } from '../model/feed.ts'
import { type ModelWait, modelWaitOf } from '../model/feed-facts.ts'
import type { Call } from '../model/feed-items.ts'
import { clock, money, tokens, visibleMarks } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'
import { useHeardAt, useNow } from './clocks.ts'
import { ModelWaitDetails } from './model-wait.tsx'
import { Plan } from './plan.tsx'
import { Silence } from './silence.tsx'
import './status.css'

const WORDS = TASK_WORDS.status

type Props = { task: Task; feed: Feed; asOf: string | undefined }

/**
 * Above the composer while the task waits or runs: what the agent is doing, for how long, and the cost so far. Never a spinner without a
 * word. Saved data shows no clock, because the task may have ended.
 */
export function StatusStrip({ live, ...props }: Props & { live: string | null }) {
  const heardAt = useHeardAt(props.feed, live)
  if (!isUnderWay(props.task.status)) return <AsOf time={props.asOf} />
  return <Strip {...props} heardAt={heardAt} writing={live !== null && live.trim() !== ''} />
}

const Strip = memo(({ task, feed, heardAt, writing, asOf }: Props & { heardAt: number; writing: boolean }) => {
  const wait = modelWaitOf(task, feed.modelWait)
  // A wait has a time that passes without the server too.
  const now = useNow(asOf === undefined || wait !== null)
  const online = useConnectionState() === 'live'
  const since = feed.turnStartedAt || Date.parse(task.startedAt ?? task.createdAt)
  return (
    <div className="strip">
      <div className="strip-line">
        <span className={asOf === undefined ? 'dot-alive' : 'dot'} />
        <span className={task.status === 'pending' || wait ? 'strip-now' : 'strip-now strip-tool'}>
          {wait ? waitOf(wait, now, asOf !== undefined) : nowOf(task, feed, writing)}
        </span>
        <span className="strip-facts numbers">
          {asOf === undefined ? <Facts task={task} forMs={now - since} /> : words.common.asOf(timeOf(asOf))}
        </span>
      </div>
      {wait && <ModelWaitDetails taskId={task.id} wait={wait} now={now} online={online} />}
      {online && !wait && task.status === 'running' && <Silence key={task.turn} taskId={task.id} now={now} heardAt={heardAt} />}
      <Plan steps={feed.plan} />
    </div>
  )
})

function Facts({ task: { usage, budgetUsd, demo }, forMs }: { task: Task; forMs: number }) {
  const read = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens
  return (
    <>
      {usage.outputTokens > 0 && (
        <span className="strip-tokens">
          {tokens(read)} / {tokens(usage.outputTokens)}
        </span>
      )}
      {usage.costUsd > 0 && <span>{demo ? DEMO_COST : WORDS.spentOf(money(usage.costUsd), money(budgetUsd))}</span>}
      <span>{clock(forMs)}</span>
    </>
  )
}

function waitOf({ until }: ModelWait, now: number, isOld: boolean): string {
  return isOld || now < until ? TASK_WORDS.modelWait.until(timeOf(new Date(until).toISOString())) : TASK_WORDS.modelWait.over
}

function nowOf(task: Task, feed: Feed, writing: boolean): string {
  if (task.status === 'pending') return task.reasonText?.replaceAll('`', '') ?? TASK_WORDS.boot.queued(task.queuePosition)
  const call = feed.activity === 'working' ? runningCall(feed) : null
  if (call) return visibleMarks(call.title || call.name)
  if (writing) return WORDS.now.writing
  return feed.activity === 'ended' ? WORDS.now.starting : WORDS.now[feed.activity]
}

function runningCall({ items }: Feed): Call | null {
  const work = items.findLast((item) => item.kind === 'work')
  return work?.kind === 'work' ? (work.calls.findLast(({ ended }) => ended === null) ?? null) : null
}
