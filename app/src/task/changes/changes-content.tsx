import { codeOf } from '../../../../client/api/api-error.ts'
import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import type { Changes } from '../../../../contract/api/changes.ts'
import { addressOf } from '../../../../contract/api/routes.ts'
import { LinkButton } from '../../design/controls/button.tsx'
import { EmptyState, ErrorState, Note, Skeleton } from '../../design/feedback/states.tsx'
import { Icon } from '../../design/icons/icon.tsx'
import { Branch, PullRequestLink } from '../feed/rows/branch.tsx'
import { TASK_WORDS } from '../text/words.ts'
import { FileList } from './file-list.tsx'
import type { useChanges } from './use-changes.ts'

const WORDS = TASK_WORDS.changes

type Props = {
  taskId: string
  task: Task | undefined
  turn: number | undefined
  changes: Pick<ReturnType<typeof useChanges>, 'data' | 'error' | 'refetch'>
  wrap: boolean
}

/** The files, or why there are none. */
export function ChangesContent({ taskId, task, turn, changes: { data, error, refetch }, wrap }: Props) {
  if (!data) return error ? <NotThere error={error} onRetry={() => refetch()} /> : <Skeleton lines={[60, 40]} rows={3} />
  if (data.files.length === 0) {
    if (turn !== undefined) return <EmptyState title={WORDS.noneInTurn} />
    return <EmptyState title={WORDS.none} text={task && isUnderWay(task.status) ? WORDS.noneHint : undefined} />
  }
  return (
    <>
      {task && <Where task={task} />}
      <Whose changes={data} />
      <FileList key={turn ?? 0} files={data.files} wrap={wrap} />
      <p className="row">
        {data.truncated && <span className="soft">{WORDS.truncated}</span>}
        <a className="button quiet download-diff" href={addressOf('downloadDiff', [taskId])} download={`${taskId}.diff`}>
          <Icon name="download" size={18} />
          {WORDS.download}
        </a>
      </p>
    </>
  )
}

/** Who says that these are the changes. A copy from before may not know. */
function Whose({ changes: { source, commit } }: { changes: Changes }) {
  if (source === 'agent') return <Note mood="wait">{WORDS.ownAccount}</Note>
  if (source !== 'git-host' || commit === null) return null
  return (
    <p className="soft small">
      {WORDS.fromGitHost(commit.slice(0, 7))} {WORDS.ownWord}
    </p>
  )
}

/** Where to get the changes; a branch that was not pushed is not shown. */
function Where({ task: { branch, reason, pullRequestUrl } }: { task: Task }) {
  return (
    <>
      {branch && reason !== 'push_refused' && <Branch name={branch} />}
      {pullRequestUrl && (
        <p>
          <PullRequestLink url={pullRequestUrl} />
        </p>
      )}
    </>
  )
}

function NotThere({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  if (codeOf(error) === 'not_found')
    return (
      <EmptyState title={TASK_WORDS.header.notFound} text={TASK_WORDS.header.notFoundText}>
        <LinkButton href="/">{TASK_WORDS.header.toTasks}</LinkButton>
      </EmptyState>
    )
  return <ErrorState title={WORDS.failed} error={error} onRetry={onRetry} />
}
