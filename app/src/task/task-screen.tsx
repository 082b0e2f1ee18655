import { useCallback, useEffect, useMemo, useState } from 'react'
import { codeOf } from '../../../client/api/api-error.ts'
import { liveTextOf } from '../../../client/feed.ts'
import type { Saved } from '../../../client/task-summary.ts'
import type { Task } from '../../../contract/api/api.ts'
import { dropTask } from '../client/drop-task.ts'
import { useAsOf, useClient, useLookAt, useNewestTask, useTask } from '../client/hooks.ts'
import { LinkButton } from '../design/controls/button.tsx'
import { EmptyState, ErrorState, Skeleton } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { Composer } from './composer/composer.tsx'
import { FeedView } from './feed/feed-view.tsx'
import { LiveOutput, LiveText } from './feed/prose/agent-text.tsx'
import { WaitingMessages } from './feed/rows/waiting-messages.tsx'
import { RetrySheet } from './header/retry-sheet.tsx'
import { TaskActions } from './header/task-actions.tsx'
import { Announcer, TaskHeading, titleOf } from './header/task-heading.tsx'
import { StatusStrip } from './status/status-strip.tsx'
import { TASK_WORDS } from './text/words.ts'
import { useCloseNotices } from './use-close-notices.ts'
import { useFeedModel, useTaskFeed } from './use-task-feed.ts'
import './task.css'

/** One task: its feed, its current state and the composer. */
export function TaskScreen({ taskId }: { taskId: string }) {
  const { data: task, error, refetch } = useTask(taskId)
  useLookAt(taskId)
  useCloseNotices(taskId)
  const isGone = useGone(taskId, error)
  if (task && !isGone) return <LoadedTask key={taskId} task={task} />
  return (
    <Screen title={TASK_WORDS.header.untitled} back="/">
      {error ? <NoTask error={error} onRetry={() => refetch()} /> : <Skeleton lines={[80, 60, 90]} rows={3} />}
    </Screen>
  )
}

/** A task that was deleted, here or on another device, is forgotten on this one too. */
function useGone(taskId: string, error: unknown): boolean {
  const client = useClient()
  const isGone = codeOf(error) === 'not_found'
  useEffect(() => {
    if (isGone) void dropTask(client, taskId)
  }, [client, taskId, isGone])
  return isGone
}

function NoTask({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  return codeOf(error) === 'not_found' ? (
    <EmptyState title={TASK_WORDS.header.notFound} text={TASK_WORDS.header.notFoundText}>
      <LinkButton href="/">{TASK_WORDS.header.toTasks}</LinkButton>
    </EmptyState>
  ) : (
    <ErrorState title={TASK_WORDS.header.loadFailed} error={error} onRetry={onRetry} />
  )
}

function LoadedTask({ task: known }: { task: Saved<Task> }) {
  const source = useTaskFeed(known.id)
  const task = useNewestTask(known, source.events)
  const asOf = useAsOf(task)
  const feed = useFeedModel(source.events, source.messages)
  const live = liveTextOf(source)
  const [retrying, setRetrying] = useState(false)
  const [jumpPlace, setJumpPlace] = useState<HTMLElement | null>(null)
  const openRetry = useCallback(() => setRetrying(true), [])
  const { id, demo, pullRequestUrl } = task
  const rowTask = useMemo(() => ({ id, demo, pullRequestUrl }), [id, demo, pullRequestUrl])
  // Memoised, because a text being written renders this many times a second and changes none of these.
  const heading = useMemo(() => <TaskHeading task={task} />, [task])
  const actions = useMemo(
    () => <TaskActions task={task} isOld={asOf !== undefined} onRetry={openRetry} />,
    [task, asOf, openRetry],
  )
  const composer = useMemo(() => <Composer task={task} />, [task])
  const { phase, hasEarlier, loadingEarlier, loadEarlier } = source
  const hasEvents = source.events.length > 0
  const saidHere = <WaitingMessages taskId={id} waiting={feed.waiting} />
  return (
    <Screen
      title={titleOf(task)}
      heading={heading}
      back="/"
      actions={actions}
      footer={
        <section aria-label={TASK_WORDS.composer.region}>
          <div ref={setJumpPlace} className="jump" />
          <StatusStrip task={task} feed={feed} live={live} asOf={asOf} />
          {composer}
        </section>
      }
    >
      <Announcer status={task.status} />
      {phase === 'error' && <ErrorState error={source.error} onRetry={source.retry} />}
      {phase !== 'error' && !hasEvents && <Skeleton lines={[80, 60, 90]} rows={3} />}
      {hasEvents && (
        <FeedView
          feed={feed}
          settled={phase === 'ready'}
          firstSeq={source.events[0]?.seq ?? 1}
          earlier={{ has: hasEarlier, loading: loadingEarlier, load: loadEarlier }}
          task={rowTask}
          ahead={task.queuePosition}
          onRetry={openRetry}
          jumpPlace={jumpPlace}
        >
          <LiveText text={live} />
          <LiveOutput output={source.output} />
          {saidHere}
        </FeedView>
      )}
      {!hasEvents && <div className="feed">{saidHere}</div>}
      {retrying && <RetrySheet task={task} onClose={() => setRetrying(false)} />}
    </Screen>
  )
}
