import { memo } from 'react'
import type { Task } from '../../../../contract/api/api.ts'
import type { Item } from '../model/feed-items.ts'
import { AgentText } from './prose/agent-text.tsx'
import { BootList } from './rows/boot-list.tsx'
import { EndCard } from './rows/end-card.tsx'
import { MessageBubble } from './rows/message-bubble.tsx'
import { BlockedHosts, Compacted, CutText, Interrupted, PullRequest, Pushed, Remark } from './rows/small-rows.tsx'
import { WorkGroup } from './work/work-group.tsx'

/** The part of the task that the rows need; none of it changes while the task runs. */
export type RowTask = Pick<Task, 'id' | 'demo' | 'pullRequestUrl'>

type Props = {
  item: Item
  task: RowTask
  ahead: number | null
  /** The key of its failed call that opens by itself, or null. */
  shownFailure: string | null
  onRetry: (() => void) | undefined
}

/** One item. Memoised, so that an event renders only the row it changed. */
export const FeedRow = memo(({ item, task, ahead, shownFailure, onRetry }: Props) => {
  switch (item.kind) {
    case 'message':
      return <MessageBubble message={item} turn={item.turn} />
    case 'boot':
      return <BootList item={item} ahead={ahead} />
    case 'text':
      return (
        <>
          <AgentText text={item.text} />
          {item.cutOff && <CutText />}
        </>
      )
    case 'note':
      return <Remark item={item} />
    case 'work':
      return <WorkGroup taskId={task.id} item={item} shownFailure={shownFailure} />
    case 'blocked':
      return <BlockedHosts item={item} />
    case 'interrupted':
      return <Interrupted item={item} />
    case 'compacted':
      return <Compacted item={item} />
    case 'pushed':
      return <Pushed item={item} />
    case 'pull_request':
      return <PullRequest item={item} />
    case 'end':
      return <EndCard taskId={task.id} item={item} demo={task.demo} pullRequestUrl={task.pullRequestUrl} onRetry={onRetry} />
  }
})
